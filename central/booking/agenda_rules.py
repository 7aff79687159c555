"""What staff may find, and what was typed. Pure."""

import msgspec

from sync.domain.check_in import normalise_locator
from sync.domain.names import folded

DOCUMENT_END = 4
FEWEST_LETTERS = 3
"""Fewer letters of a name find half of the city."""
MAX_WORDS = 6
_ESCAPED = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """What a typed text may be; it can be several at once, for a name of six letters looks like a locator.

    Args:
        name_patterns: for SQL's ``LIKE ALL``, each the beginning of a word of the name.
    """

    locator: str | None = None
    document_end: str | None = None
    name_patterns: tuple[str, ...] = ()


def sought(typed: str) -> Sought:
    """Read what was typed into the search."""
    words = typed.split()[:MAX_WORDS]
    alone = words[0].upper() if len(words) == 1 else ""
    is_end = len(alone) == DOCUMENT_END and alone.isalnum() and any(ch.isdigit() for ch in alone)
    is_name = sum(ch.isalpha() for ch in typed) >= FEWEST_LETTERS and not any(ch.isdigit() for ch in typed)
    return Sought(
        locator=normalise_locator(typed),
        document_end=alone if is_end else None,
        name_patterns=tuple(f"% {folded(word).translate(_ESCAPED)}%" for word in words) if is_name else (),
    )


def may_see(own_office: str, office: str, locator: str, told: str | None) -> bool:
    """Whether an office's staff may see and change an appointment: one of its own, or one whose locator they were told."""
    return own_office == office or (told is not None and told == locator)
