"""A past day once more, under another policy: what was decided by the rule is decided anew, the rest happens as it did."""
