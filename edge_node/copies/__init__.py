"""Copies of the database on another disk, and the nightly look whether the database itself is sound."""
