"""Launchers against the real programs."""
