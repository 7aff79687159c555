"""Fixed vectors and files that other versions must still read."""
