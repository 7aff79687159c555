"""Properties of orderings, codecs, machines and sync, over generated input."""
