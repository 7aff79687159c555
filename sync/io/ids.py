"""New ids. Everything that is not a slug is a UUIDv7 made by its creator, as canonical text.

The bits are never read for the time inside them: they only keep the indexes of new rows together.
"""

from __future__ import annotations

import uuid_utils


def new_id() -> str:
    """A fresh UUIDv7 (RFC 9562, 5.7) in canonical lower-case text, growing within the process."""
    return str(uuid_utils.uuid7())
