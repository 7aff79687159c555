"""What a machine can do at most, measured beside the product in the same run: SQLite's group commit, a bare web server."""
