"""Starts what a city on one machine needs: Postgres, an MQTT broker, and our own processes.

Production uses servers that the machine already runs; these launchers are for the demo, tests and benches.
"""
