"""The drawings: one 24-unit picture per name, stroked with the colour of the text beside it.

An icon never stands alone for a meaning: words stand beside it, or a label is given. Drawings that point along the
line of reading are mirrored where the text runs from the right.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from markupsafe import Markup

# Arrows along the line of reading, and the ship: mirrored in right-to-left text.
MIRRORED = frozenset({"forward", "back", "arrow", "travel"})

DRAWINGS: Mapping[str, str] = MappingProxyType(
    {
        "person": '<circle cx="12" cy="7.5" r="3.5"/><path d="M5 20c.5-4.2 3.2-6.3 7-6.3s6.5 2.1 7 6.3"/>',
        "forward": '<path d="m9 5 7 7-7 7"/>',
        "warning": '<path d="M12 4 2.8 19.8h18.4z"/><path d="M12 10v4.5M12 17.2v.1"/>',
        "plus": '<path d="M12 5v14M5 12h14"/>',
        "check": '<path d="m5 12.5 4.5 4.5L19 7"/>',
        "clock": '<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5l3.2 2"/>',
        "call": '<path d="M4 10v4.5h3L17 19V5.5L7 10zM7.5 14.5 9 20h2.5l-1.3-4.3M20 10.5v3.5"/>',
        "back": '<path d="m15 5-7 7 7 7"/>',
        "ok": '<circle cx="12" cy="12" r="8.5"/><path d="m8 12.3 2.8 2.8L16 9.5"/>',
        "problem": '<circle cx="12" cy="12" r="8.5"/><path d="M12 7.5v5.5M12 16.2v.1"/>',
        "offline": (
            '<path d="M3.5 9a13 13 0 0 1 4.3-2.6M12 5.5A13 13 0 0 1 20.5 9M6.5 12.5a8.5 8.5 0 0 1 3-1.8M14.8 '
            '10.9a8.5 8.5 0 0 1 2.7 1.6M9.5 16a4 4 0 0 1 5 0M12 19.3v.1M4 3.5l16.5 17"/>'
        ),
        "pause": '<path d="M8 5v14M16 5v14"/>',
        "lock": '<path d="M5.5 11h13v9.5h-13zM8.5 11V8a3.5 3.5 0 0 1 7 0v3"/>',
        "wheelchair": (
            '<circle cx="10" cy="4.2" r="1.6"/><path d="M10 8v6h5.5l2.5 5M10 10.5h5"/><path d="M7.8 11.3a5.2 '
            '5.2 0 1 0 7 7"/>'
        ),
        "languages": (
            '<path d="M4 5.5h9M8.5 3.5v2M11 5.5c-.8 4-3 7-6.5 9M6 8.5c1 2.5 2.8 4.3 5 5.5M12 20.5l4.5-10 4.5 '
            '10M13.5 17.5h6"/>'
        ),
        "transfer": '<path d="M4 8.5h14M14 4.5l4 4-4 4M20 15.5H6M10 11.5l-4 4 4 4"/>',
        "print": '<path d="M7 8.5V3.5h10v5M7 17H4V8.5h16V17h-3"/><path d="M7 14h10v6.5H7z"/>',
        "people": (
            '<circle cx="9" cy="8" r="3.2"/><path d="M3 19.5c.4-3.6 2.8-5.5 6-5.5s5.6 1.9 6 5.5"/><path d="M1'
            '5.5 5.2a3.2 3.2 0 0 1 0 5.7M17.6 14.6c2 .8 3.2 2.5 3.5 4.9"/>'
        ),
        "message": '<path d="M4 5h16v11.5h-8.5L7 20.5v-4H4z"/>',
        "arrow": '<path d="M4 12h15M13 5.5l6.5 6.5-6.5 6.5"/>',
        "down": '<path d="m6 9.5 6 6 6-6"/>',
        "ticket": '<path d="M5 3h14v5a2.5 2.5 0 0 0 0 5v8H5v-8a2.5 2.5 0 0 0 0-5z"/><path d="M9.5 17h5"/>',
        "screen": '<path d="M3 4.5h18v12H3zM8.5 20.5h7M12 16.5v4"/>',
        "grid": '<path d="M4 4h6.5v6.5H4zM13.5 4H20v6.5h-6.5zM4 13.5h6.5V20H4zM13.5 13.5H20V20h-6.5z"/>',
        "qr": (
            '<path d="M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4z"/><path d="M14 14h2.5v2.5H14zM20 14v3M17.5 20H20M1'
            '4 20v-.5"/>'
        ),
        "sound": (
            '<path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z"/><path d="M15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11"/>'
        ),
        "text_size": '<path d="M2.5 19 8.5 5l6 14M4.6 14.5h7.8"/><path d="m15.5 19 3-7.5 3 7.5M16.5 16.7h4"/>',
        "contrast": '<circle cx="12" cy="12" r="8.5"/><path d="M12 3.5a8.5 8.5 0 0 1 0 17z" fill="currentColor"/>',
        "low": '<path d="M5 20.5h14M12 3.5V16M7 11.5l5 5 5-5"/>',
        "headphones": (
            '<path d="M4 15v-2.5a8 8 0 0 1 16 0V15"/><path d="M4 14.5h3.5v6H6a2 2 0 0 1-2-2zM20 14.5h-3.5v6H1'
            '8a2 2 0 0 0 2-2z"/>'
        ),
        "paper": '<path d="M6 3.5h8.5L18.5 8v12.5H6z"/><path d="M14 3.5V8.5h4.5M9 13h6.5M9 16.5h4.5"/>',
        "travel": '<path d="M3 14.5h18l-2.2 4.5H5.5zM6 14.5V10h11l2 4.5M9 10V6h5v4"/><path d="M2.5 21.5h19"/>',
        "home": '<path d="M4 11.5 12 4l8 7.5"/><path d="M6 10v10h12V10M10 20v-5.5h4V20"/>',
        "stamp": (
            '<path d="M9.5 13.5c.8-1.5.5-3-.3-4.3A3.3 3.3 0 1 1 14.8 9.2c-.8 1.3-1.1 2.8-.3 4.3h4V17h-13v-3.5'
            'zM5.5 20.5h13"/>'
        ),
        "card": (
            '<path d="M3 5.5h18v13H3z"/><circle cx="8.5" cy="11" r="2"/><path d="M5.8 15.7c.3-1.5 1.3-2.3 2.7'
            '-2.3s2.4.8 2.7 2.3M14 10h4M14 13.5h3"/>'
        ),
        "coins": (
            '<ellipse cx="9" cy="7" rx="5.5" ry="3"/><path d="M3.5 7v5c0 1.7 2.5 3 5.5 3M14.5 7v2"/><ellipse '
            'cx="15" cy="13" rx="5.5" ry="3"/><path d="M9.5 13v4.5c0 1.7 2.5 3 5.5 3s5.5-1.3 5.5-3V13"/>'
        ),
        "heart": (
            '<path d="M12 20C6.5 15.8 3.5 12.8 3.5 9.3A4.3 4.3 0 0 1 12 8a4.3 4.3 0 0 1 8.5 1.3c0 3.5-3 6.5-8'
            '.5 10.7z"/>'
        ),
        "info": (
            '<circle cx="12" cy="12" r="8.5"/><path d="M9.5 9.8A2.6 2.6 0 0 1 12 7.5c1.6 0 2.7 1 2.7 2.4 0 2-'
            '2.7 2.1-2.7 4.1M12 16.7v.1"/>'
        ),
        "take": '<path d="M12 4v15M5.5 13l6.5 6.5 6.5-6.5"/>',
        "phone": (
            '<path d="M5 4h4l1.5 5-2.3 1.6a11 11 0 0 0 5.2 5.2L15 13.5l5 1.5v4a1.5 1.5 0 0 1-1.6 1.5A15.5 15.'
            '5 0 0 1 3.5 5.6 1.5 1.5 0 0 1 5 4z"/>'
        ),
        "place": (
            '<path d="M12 21c4.5-4.7 6.7-8.1 6.7-11.2a6.7 6.7 0 0 0-13.4 0C5.3 12.9 7.5 16.3 12 21z"/><circle'
            ' cx="12" cy="9.8" r="2.3"/>'
        ),
        "bus": '<path d="M5 4.5h14v12.5H5zM5 11.5h14M8 17v2.5M16 17v2.5M8.3 14.3v.1M15.7 14.3v.1"/>',
        "calendar": '<path d="M4 6h16v14H4zM4 10.5h16M8.5 3.5V7M15.5 3.5V7"/>',
        "search": '<circle cx="10.5" cy="10.5" r="6.5"/><path d="m15.5 15.5 5 5"/>',
        "loop": (
            '<path d="M8 19.5a6.5 6.5 0 1 1 9.3-8.6M9.5 12.5a3 3 0 1 1 4.5 2.6c-1.4.9-1 2.4-2 3.7M17 14.5l4 4'
            'M21 14.5l-4 4"/>'
        ),
        "signs": (
            '<path d="M7.5 12.5V6.3a1.4 1.4 0 0 1 2.8 0V11M10.3 10.5V4.9a1.4 1.4 0 0 1 2.8 0v5.6M13.1 10.5V6.'
            "3a1.4 1.4 0 0 1 2.8 0v7.2l1.5-1.6a1.5 1.5 0 0 1 2.3 1.9l-3.6 5.2a5 5 0 0 1-4.1 2.1c-3.2 0-5.3-2."
            '1-5.3-5.3V8.5"/>'
        ),
        "live": '<path d="M3.5 9a13 13 0 0 1 17 0M6.5 12.5a8.5 8.5 0 0 1 11 0M9.5 16a4 4 0 0 1 5 0M12 19.3v.1"/>',
        "walk": (
            '<circle cx="13" cy="4" r="1.7"/><path d="M7.5 21l2.8-5.5 1-4.5 3 3.5 1.2 6.5M7 12l1.5-3.5L12 7l2'
            '.5 3.5 3 1"/>'
        ),
    }
)

_MARK = (
    '<svg class="mark" viewBox="0 0 36 36" aria-hidden="true" focusable="false">'
    '<path d="M7.5 0h21a7.5 7.5 0 0 0 7.5 7.5v21a7.5 7.5 0 0 0-7.5 7.5h-21A7.5 7.5 0 0 0 0 28.5v-21A7.5 7.5 0 0 0 7.5 0z"/>'
    '<path class="mark-line" d="M10.5 4.5h15a6.5 6.5 0 0 0 6 6v15a6.5 6.5 0 0 0-6 6h-15a6.5 6.5 0 0 0-6-6v-15a6.5 6.5 0 0 0'
    ' 6-6z"/><circle class="mark-core" cx="18" cy="18" r="4.5"/></svg>'
)


@lru_cache(maxsize=512)
def icon(name: str, label: str | None = None) -> Markup:
    """The drawing `name` as inline SVG; hidden from screen readers unless it gets a `label`.

    Raises:
        KeyError: no drawing has that name.
    """
    flip = Markup(" data-flip") if name in MIRRORED else Markup("")
    said = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    opening = Markup('<svg class="icon"{} viewBox="0 0 24 24" {} focusable="false">').format(flip, said)
    return opening + Markup(DRAWINGS[name]) + Markup("</svg>")  # noqa: S704 - constant drawings of this file


def mark() -> Markup:
    """The city's tile: the mark in the head of every page."""
    return Markup(_MARK)  # noqa: S704 - a constant
