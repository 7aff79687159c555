"""The waiting room's display: shows and says calls."""
