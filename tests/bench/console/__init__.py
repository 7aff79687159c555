"""The console under a peak day: see ``__main__``."""
