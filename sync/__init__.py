"""The contract between all parts of Ventanilla: messages, rules, and both ends of the sync protocol.

A leaf package: it imports none of the others. Only ``sync.io`` is impure.
"""
