"""Pure rules and small parts, without I/O; mirrors the modules."""
