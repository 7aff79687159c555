"""Benches that run at all; what they measure is no test."""
