"""What a clerk reads on the work screen: the forms that it offers, and the place in the journal that it shows."""

from __future__ import annotations

import re
from collections.abc import Mapping

_POSITION = re.compile(rb'data-position="\d+-(\d+)"')
_REFRESH = re.compile(rb'data-refresh-s="(\d+)"')
_FORM = re.compile(r'<form method="post" action="/act/(\w+)"[^>]*>(.*?)</form>', re.DOTALL)
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
_OF_THE_PAGE = frozenset({"_csrf_token"})


class Screen:
    """One work page."""

    def __init__(self, html: bytes) -> None:
        self._html = html
        found = _POSITION.search(html)
        self.seq = int(found[1]) if found else -1
        refresh = _REFRESH.search(html)
        self.refresh_s = int(refresh[1]) if refresh else 30

    def forms(self) -> dict[str, Mapping[str, str]]:
        """The hidden fields of the forms by verb; of several with the same verb the first."""
        forms: dict[str, Mapping[str, str]] = {}
        for verb, body in _FORM.findall(self._html.decode()):
            if verb not in forms:
                forms[verb] = {name: value for name, value in _HIDDEN.findall(body) if name not in _OF_THE_PAGE}
        return forms
