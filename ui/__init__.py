"""What every screen shares: tokens, base templates and macros, catalogues, built assets. A leaf."""
