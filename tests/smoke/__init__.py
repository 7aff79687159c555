"""The whole journey on a real city, with a cut and a heal in the middle, driven and judged from outside."""
