"""What each fact does to the office day: one function per fact, named like it."""
