"""Kept pieces of pages: drawn once for the same values, and nobody's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

from edge_node.console.kept import GAP, Kept, PageInHand


def page(
    kept: Kept, token: str = "t1", here: str = "/", ids: Iterator[int] | None = None, locale: str = "es"
) -> PageInHand:
    numbers = ids or count(1)
    return PageInHand(kept, locale, token, here, lambda: f"id-{next(numbers)}")


def form(of: PageInHand, text: str, drawn: list[str] | None = None) -> Callable[[], str]:
    """Draws what a template would: a form of this page around a text."""

    def draw() -> str:
        if drawn is not None:
            drawn.append(text)
        values = {"request_id": of.new_id(), "_csrf_token": of.values["csrf_token"], "here": of.values["here"]}
        return text + "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in values.items())

    return draw


def test_a_piece_is_drawn_once_and_has_each_pages_own_token_place_and_ids() -> None:
    kept, ids, drawn = Kept(), count(1), list[str]()
    first = page(kept, ids=ids)
    second = page(kept, "t2", "/?panel=call", ids)
    assert first.keep("row", "A1", caller=form(first, "A1", drawn)) == form(page(kept), "A1")()
    again = second.keep("row", "A1", caller=form(second, "A1", drawn))
    assert drawn == ["A1"]
    assert 'name="_csrf_token" value="t2"' in again
    assert 'name="here" value="/?panel=call"' in again
    assert 'name="request_id" value="id-2"' in again, "no request id is ever on two pages"
    assert "t1" not in again


def test_other_values_and_other_languages_are_other_pieces() -> None:
    kept, drawn = Kept(), list[str]()
    es, en = page(kept), page(kept, locale="en")
    for of, value in ((es, 1), (es, 2), (en, 1), (es, 1), (en, 1)):
        of.keep("row", value, caller=form(of, f"{value}", drawn))
    assert drawn == ["1", "2", "1"]
    es.keep("line", 1, caller=form(es, "line", drawn))
    assert drawn[-1] == "line"


def test_a_word_that_looks_like_a_token_stays_what_it_is() -> None:
    kept = Kept()
    first, second = page(kept, "t1"), page(kept, "t2")
    for of in (first, second):
        assert of.keep("row", 1, caller=form(of, "<b>t1 /</b>")).startswith("<b>t1 /</b>")


def test_several_forms_in_one_piece_have_an_id_each() -> None:
    kept, ids = Kept(), count(1)
    of = page(kept, ids=ids)
    for first in (1, 3):
        text = of.keep("row", 1, caller=lambda: form(of, "a")() + form(of, "b")())
        assert [f'value="id-{n}"' in text for n in range(1, 5)] == [n in (first, first + 1) for n in range(1, 5)]


def test_what_has_the_character_of_a_gap_is_not_kept() -> None:
    kept = Kept()
    for _ in range(2):
        of = page(kept)
        assert of.keep("row", 1, caller=lambda: f"odd {GAP}i name") == f"odd {GAP}i name"
    assert len(kept) == 0


def test_only_so_much_is_kept_and_the_longest_unused_goes() -> None:
    kept, drawn = Kept(10), list[str]()

    def keep(value: str) -> None:
        def draw() -> str:
            drawn.append(value)
            return value

        page(kept).keep("row", value, caller=draw)

    for value in ("1111", "2222", "1111", "3333", "1111", "2222"):
        keep(value)
    assert drawn == ["1111", "2222", "3333", "2222"]
    assert len(kept) == 2
    keep("larger than all")
    assert len(kept) == 0
