"""What staff may look for, and whose appointments they may see."""

from __future__ import annotations

import pytest

from central.booking.agenda_rules import Sought, may_see, sought


@pytest.mark.parametrize(
    "typed, what",
    [
        ("acd-e34", Sought(locator="ACDE34")),
        ("678z", Sought(document_end="678Z")),
        ("Fátima moh", Sought(name_patterns=("% fatima%", "% moh%"))),
        ("MARTHA", Sought(locator="MARTHA", name_patterns=("% martha%",))),
        ("Ana", Sought(name_patterns=("% ana%",))),
        ("an", Sought()),
        ("1234", Sought(document_end="1234")),
        ("12345678Z", Sought()),
        ("100%_ana", Sought()),
        ("50\\ %%% aaa", Sought()),
        ("%aaa_\\", Sought(name_patterns=(r"% \%aaa\_\\%",))),
        ("", Sought()),
        (
            "'; DROP TABLE appointment; --",
            Sought(name_patterns=("% ';%", "% drop%", "% table%", "% appointment;%", "% --%")),
        ),
    ],
)
def test_what_was_typed_is_a_locator_an_end_or_a_name(typed: str, what: Sought) -> None:
    assert sought(typed) == what


def test_an_office_sees_its_own_and_what_it_was_told_the_locator_of() -> None:
    assert may_see("centro", "centro", "ACDE34", None)
    assert may_see("centro", "real", "ACDE34", "ACDE34")
    assert not may_see("centro", "real", "ACDE34", "ACDE37")
    assert not may_see("centro", "real", "ACDE34", None)
