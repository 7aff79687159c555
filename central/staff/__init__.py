"""The city's own people at central: who signs in, for how long, and what they may do."""
