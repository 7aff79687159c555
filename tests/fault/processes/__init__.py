"""A real city whose processes are killed, stopped and cut off while people use it; then everything must agree."""
