"""The shapes of everything that crosses a boundary: facts, commands, feed rows, topics and HTTP bodies.

Pure data. Instants are aware UTC datetimes of millisecond precision and end in ``_at``; civil dates are
``service_date``.
"""
