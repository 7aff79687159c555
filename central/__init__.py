"""The city's centre: the only authority on appointments, and where every office's facts come together."""
