"""Practice: a simulated office for learning, made of the same parts as the real one and joined to nothing."""
