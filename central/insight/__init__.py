"""What central sees of the offices as it happens: live waits, the overview, its JSON."""
