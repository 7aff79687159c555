"""Trust and installation: settings, logs, launchers, identities, the demo city and the command line."""
