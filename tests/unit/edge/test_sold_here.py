"""What is shown of appointments sold here, and how their locators are made."""

from __future__ import annotations

from itertools import count

import pytest

from edge_node.leases.rules import locator_of, short_name
from sync.domain.check_in import LOCATOR_ALPHABET


@pytest.mark.parametrize(
    "full_name, shown",
    [("Fátima Mohamed Haddu", "Fátima M."), ("  Ana   ruiz ", "Ana R."), ("Zoe", "Zoe"), ("", "")],
)
def test_a_name_is_shown_short(full_name: str, shown: str) -> None:
    assert short_name(full_name) == shown


def test_a_locator_is_never_one_that_is_known_here() -> None:
    first = locator_of(count(), {})
    assert len(first) == 6
    assert set(first) <= set(LOCATOR_ALPHABET)
    assert locator_of(count(), {first: object()}) != first
