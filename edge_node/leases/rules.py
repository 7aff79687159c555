"""What an office shows of the appointments that it sold from leases, until central's own rows for them come down. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from sync.domain.check_in import LOCATOR_ALPHABET, LOCATOR_LENGTH, Agenda
from sync.messages.facts import LeaseSold
from sync.messages.feed import Appointment
from sync.messages.values import Language, Slug


class Buyer(msgspec.Struct, frozen=True, kw_only=True):
    """As much of the person of a sold appointment as the agenda shows."""

    display_name: str
    language: Language = "es"
    needs: tuple[Slug, ...] = ()


NOBODY = Buyer(display_name="")
PENDING_VERSION = 0
"""Any row of central's is newer."""


def short_name(full_name: str) -> str:
    """The name that an agenda shows: "Fátima Mohamed Haddu" becomes "Fátima M."."""
    words = full_name.split()
    return " ".join(words) if len(words) < 2 else f"{words[0]} {words[1][0].upper()}."


def locator_of(choices: Iterable[int], taken: Mapping[str, object]) -> str:
    """A locator that this office has not seen.

    Args:
        choices: random numbers, as many as it takes.
        taken: locators that are known here.
    """
    numbers = iter(choices)
    while True:
        code = "".join(LOCATOR_ALPHABET[next(numbers) % len(LOCATOR_ALPHABET)] for _ in range(LOCATOR_LENGTH))
        if code not in taken:
            return code


def with_sold(agenda: Agenda, sold: Sequence[LeaseSold], buyers: Mapping[str, Buyer]) -> Agenda:
    """The agenda with what was sold here and central has not told of yet; names that central does not have yet are ours."""
    ours = {fact.appointment_id: fact for fact in sold}
    if not ours:
        return agenda
    rows = [_named(row, buyers) if row.id in ours else row for row in agenda.by_id.values()]
    rows += [
        _row(fact, buyers.get(fact.appointment_id, NOBODY)) for fact in sold if fact.appointment_id not in agenda.by_id
    ]
    return Agenda.of(rows)


def is_pending(row: Appointment) -> bool:
    """Whether central has not told of this appointment yet."""
    return row.version == PENDING_VERSION


def _named(row: Appointment, buyers: Mapping[str, Buyer]) -> Appointment:
    buyer = buyers.get(row.id)
    if row.display_name or row.status != "booked" or buyer is None:
        return row
    return msgspec.structs.replace(row, display_name=buyer.display_name, language=buyer.language, needs=buyer.needs)


def _row(fact: LeaseSold, buyer: Buyer) -> Appointment:
    return Appointment(
        id=fact.appointment_id,
        version=PENDING_VERSION,
        locator=fact.locator,
        service_id=fact.service,
        slot_start_at=fact.slot_start_at,
        duration_min=fact.duration_min,
        status="booked",
        display_name=buyer.display_name,
        language=buyer.language,
        needs=buyer.needs,
    )
