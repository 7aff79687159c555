"""From a ticket as values to paper: the raster, the bytes of ESC/POS, and the printer at the end of the wire."""
