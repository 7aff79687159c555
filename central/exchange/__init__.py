"""The central end of sync: facts come in, feed rows go out, offices' days are folded for central's own pages."""
