"""Who manages what, and where signing in may lead."""

import pytest

from central.staff.rules import Member, is_ours, managed, may_enter, may_manage, may_see_names


def member(*roles: str) -> Member:
    return Member(office="centro", staff_id="rocio", display_name="Rocío", roles=roles)


@pytest.mark.parametrize(
    "roles, enters, own, others",
    [
        (("manager",), True, True, False),
        (("admin",), True, True, True),
        (("clerk", "manager"), True, True, False),
        (("clerk", "supervisor"), False, False, False),
        ((), False, False, False),
    ],
)
def test_a_manager_has_an_office_and_an_admin_the_city(
    *, roles: tuple[str, ...], enters: bool, own: bool, others: bool
) -> None:
    who = member(*roles)
    assert (may_enter(roles), may_manage(who, "centro"), may_manage(who, "real")) == (enters, own, others)
    assert managed(who, ("real", "centro")) == ["real"] * others + ["centro"] * own
    assert may_see_names(who, "centro") is ("manager" in roles)
    assert not may_see_names(who, "real")


@pytest.mark.parametrize(
    "address, ours",
    [
        ("/normas/centro", True),
        ("/normas?oficina=real&a=//x", True),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("/a\\b", False),
        ("/a\r\nlocation: x", False),
        ("/\t/evil.example", False),
        ("https://evil.example", False),
        ("", False),
        ("/" + "x" * 300, False),
        ("/ñ", False),
    ],
)
def test_signing_in_leads_to_our_own_pages_only(address: str, ours: bool) -> None:
    assert is_ours(address) is ours
