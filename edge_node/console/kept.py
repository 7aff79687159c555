"""Pieces of pages that are kept, so that thirty consoles do not each draw the same row anew after every fact of the office.

A piece is drawn once for each set of values that it shows, in each language, and kept as text with gaps: the request ids of
its forms, the browser's cross-site token and the page that the form stands on are filled in each time. So two pages never
share a request id, and what is kept belongs to nobody. Values are compared, not positions of the journal: a fact about one
ticket draws one row anew. In a template, around what depends on nothing but ``line`` and the language:

    {% call kept("agenda", line) %}<li>…{{ forms.press(…) }}</li>{% endcall %}
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final

from markupsafe import Markup, escape

KEPT_CHARS: Final = 8_000_000
"""Characters that one process keeps; what was longest unused falls out. A row of an agenda has about nine hundred, a whole
agenda of a large office two hundred thousand."""
GAP: Final = "\0"
"""Begins a gap, and is followed by the letter of what belongs there: id, token, here. No page has this character."""

_HIDDEN: Final = re.compile(r'<input type="hidden" name="(request_id|_csrf_token|here)" value="([^"]*)">')
"""As the templates write them; what no form of ours has in it stays as it is."""
Pieces = tuple[str, ...]


class Kept:
    """The pieces of all pages of a process.

    Args:
        most: characters.
    """

    def __init__(self, most: int = KEPT_CHARS) -> None:
        self._most = most
        self._chars = 0
        self._pieces: OrderedDict[Hashable, Pieces] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pieces)

    def get(self, key: Hashable) -> Pieces | None:
        found = self._pieces.get(key)
        if found is not None:
            self._pieces.move_to_end(key)
        return found

    def put(self, key: Hashable, pieces: Pieces) -> None:
        """Keep pieces under a key that has none."""
        self._pieces[key] = pieces
        self._chars += _chars(pieces)
        while self._chars > self._most:
            _, gone = self._pieces.popitem(last=False)
            self._chars -= _chars(gone)


class PageInHand:
    """One page while it is drawn.

    Args:
        locale: its language.
        token: the browser's cross-site token.
        here: where the page's forms stand.
        new_id: makes a request id, never the same one twice.
    """

    def __init__(self, kept: Kept, locale: str, token: str, here: str, new_id: Callable[[], str]) -> None:
        self._kept = kept
        self._locale = locale
        self._token = token
        self._here = here
        self._in_gaps = {"t": str(escape(token)), "h": str(escape(here))}
        self._make_id = new_id
        self._made: list[str] = []

    @property
    def values(self) -> Mapping[str, Any]:
        """What templates see of it."""
        return {"csrf_token": self._token, "here": self._here, "new_id": self.new_id, "kept": self.keep}

    def new_id(self) -> str:
        """A request id for a form of this page."""
        one = self._make_id()
        self._made.append(one)
        return one

    def keep(self, name: str, *values: Hashable, caller: Callable[[], str]) -> Markup:
        """The piece of these values, drawn by ``caller`` when it is not there yet."""
        key = (self._locale, name, values)
        pieces = self._kept.get(key)
        if pieces is not None:
            return self._filled(pieces)
        before = len(self._made)
        text = str(caller())
        if GAP not in text:
            self._kept.put(key, self._with_gaps(text, self._made[before:]))
        return Markup(text)  # noqa: S704 - a template has made it, with every value escaped

    def _with_gaps(self, text: str, ids: list[str]) -> Pieces:
        ours = {("request_id", one): "i" for one in ids}
        ours["_csrf_token", self._in_gaps["t"]] = "t"
        ours["here", self._in_gaps["h"]] = "h"

        def gap(found: re.Match[str]) -> str:
            letter = ours.get((found[1], found[2]))
            return f'<input type="hidden" name="{found[1]}" value="{GAP}{letter}">' if letter else found[0]

        return tuple(_HIDDEN.sub(gap, text).split(GAP))

    def _filled(self, pieces: Pieces) -> Markup:
        first, *others = pieces
        text = [first]
        for piece in others:
            text += (self._in_gaps.get(piece[0]) or self.new_id(), piece[1:])
        return Markup("".join(text))  # noqa: S704 - the same text, with our own ids in it


def _chars(pieces: Pieces) -> int:
    return sum(map(len, pieces))
