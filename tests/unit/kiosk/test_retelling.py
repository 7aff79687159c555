"""What a kiosk tells of a slip that it printed."""

from __future__ import annotations

from datetime import date

import msgspec

from kiosk_agent.retelling import code_of, tale_of
from sync.messages.topics import progress_url
from tests.unit.kiosk.slips import SLIP

TODAY = date(2026, 11, 23)


def test_a_slip_says_all_that_is_told() -> None:
    code = bytes(range(16))
    slip = msgspec.structs.replace(
        SLIP, label="K12", service="padron", follow_url=progress_url("https://c.example", code)
    )
    told = tale_of(slip, "kiosk-1", TODAY)
    assert told is not None
    assert (told.ticket_id, told.series, told.number, told.service) == (slip.ticket_id, "K", 12, "padron")
    assert told.service_date == TODAY
    assert told.follow_code == code


def test_a_slip_of_an_older_build_does_not_say_what_it_is_for() -> None:
    assert tale_of(msgspec.structs.replace(SLIP, service=None), "kiosk-1", TODAY) is None


def test_an_address_without_a_code_has_none() -> None:
    assert [code_of(url) for url in ("", "https://c.example/", "https://c.example/t/zz", "https://c.example/t/ñ")] == [
        None
    ] * 4
