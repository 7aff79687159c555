"""An office's own server: owns today's queue and keeps working when the network is gone."""
