"""Which key does what for one person."""

import pytest

from edge_node.console.key_bindings import ALLOWED, USUAL, KeysRefused, bindings, chosen


def test_only_what_differs_from_the_usual_keys_is_kept() -> None:
    assert chosen({}) == {}
    assert chosen({"F8": "F8", "F9": "Alt+R"}) == {"F9": "Alt+R"}


def test_two_verbs_may_change_places() -> None:
    swapped = chosen({"F8": "F9", "F9": "F8"})
    assert swapped == {"F8": "F9", "F9": "F8"}
    assert bindings(swapped)["F8"] == "F9"


@pytest.mark.parametrize(
    "key", ["n", "N", "8", "", " ", "Enter", "Escape", "Tab", "Shift+N", "F5", "F12", "Ctrl+C", "Ctrl+W", "Alt+D"]
)
def test_bare_letters_and_the_browsers_own_keys_are_refused(key: str) -> None:
    assert chosen({"F8": key}) == KeysRefused("not_allowed", key, "F8")


def test_one_key_for_two_verbs_is_refused_with_both() -> None:
    assert chosen({"F9": "F8"}) == KeysRefused("twice", "F8", "F8", "F9")


def test_what_was_kept_and_no_longer_fits_falls_back_to_the_usual_keys() -> None:
    usual = {key: key for key in USUAL}
    assert bindings({"F8": "n", "F99": "F1"}) == usual
    assert bindings({"F8": "F9"}) == usual, "it would leave two verbs on one key"


def test_one_key_that_clashes_costs_no_other_choice() -> None:
    keys = bindings({"F8": "Alt+C", "F9": "Alt+R", "F7": "F10"})
    assert (keys["F8"], keys["F9"], keys["F7"], keys["F10"], keys["Alt+C"]) == ("F8", "Alt+R", "F7", "F10", "Alt+C")
    assert bindings({"F8": "F9", "F9": "Alt+C"})["F9"] == "F9", "and what clashes only then goes back too"
    assert len(set(bindings({"F8": "F9", "F9": "Alt+C"}).values())) == len(USUAL)


def test_every_usual_key_may_be_chosen() -> None:
    assert set(USUAL) <= set(ALLOWED)
    assert not [key for key in ALLOWED if len(key) == 1]
