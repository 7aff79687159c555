"""One part against its real neighbour: Postgres, SQLite file, broker, serial line."""
