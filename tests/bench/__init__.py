"""Figures, each with the machine's own limit measured in the same run. Run by hand."""
