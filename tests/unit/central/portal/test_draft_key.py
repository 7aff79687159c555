from __future__ import annotations

import pytest

from central.booking.drafts import new_visitor
from central.portal.draft_key import DraftKey, asked_key, read_key

VISITOR = "v" * 32


def test_a_key_survives_its_cookie() -> None:
    key = DraftKey(new_visitor(), "01a202b8-bfed-7537-979f-0b494b054856")
    assert read_key(key.text) == key


@pytest.mark.parametrize("cookie", [None, "", ".", "x.1", f"{VISITOR}v.1", f"{VISITOR[1:]}=.1", "é" * 32])
def test_a_cookie_that_is_not_ours_opens_nothing(cookie: str | None) -> None:
    assert read_key(cookie) is None


def test_a_request_that_names_its_draft_gets_that_one_and_one_that_names_none_the_last() -> None:
    current = DraftKey(VISITOR, "last")
    assert asked_key(current, "mine") == DraftKey(VISITOR, "mine")
    assert asked_key(current, "") == DraftKey(VISITOR, "")
    assert asked_key(current, None) == current
    assert asked_key(None, "mine") is None
