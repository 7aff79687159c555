"""Commands, the journal and the office day of this office."""
