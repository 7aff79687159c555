"""Real processes, cut and killed."""
