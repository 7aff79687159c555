"""Real processes driven by Hypothesis, step by step, and held to small models that know nothing of the product's code."""
