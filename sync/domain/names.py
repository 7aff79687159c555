"""Names as people type them when they look for somebody: without accents, in any case."""

from __future__ import annotations

ACCENTED = "áàâäãåéèêëíìîïóòôöõúùûüñç"
PLAIN = "aaaaaaeeeeiiiiooooouuuunc"
_FOLDED = str.maketrans(ACCENTED, PLAIN)


def folded(text: str) -> str:
    """The text in lower case without the accents of our languages; central's statements fold in the same way."""
    return text.lower().translate(_FOLDED)


def initials(name: str) -> str:
    """``F. M.`` of "Fátima Mohamed Haddu": enough to find somebody in a list, and no name on a screen that others see."""
    return " ".join(f"{word[0].upper()}." for word in name.split()[:2] if word[0].isalpha())
