"""The pictures of the console in the documentation, made anew by a command: a real browser over an office at a fixed hour."""
