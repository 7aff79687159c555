"""What the two logs say, in plain words: one sentence for each kind of fact and act, and who did it. No names, only ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

import msgspec

from central.staff.audit_log import Act, Life, Told
from sync.messages.envelope import FactHeader
from sync.messages.facts import Fact, UnknownFact, told_as
from ui import formats
from ui.catalog import Words

REASONS: Final = ("console.pause.reason.", "console.reason.", "console.skip.reason.", "console.park.reason.")
"""Where the words of reasons stand, by their codes."""
ACT_VALUES: Final = (
    "act", "version", "effective_from", "to_office", "since", "until", "day", "was", "now", "count",
)  # fmt: skip


class Names(msgspec.Struct, frozen=True):
    """What ids are called in the reader's language."""

    services: Mapping[str, str]
    offices: Mapping[str, str]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One entry as people read it.

    Args:
        about: what it was about: a label, an id.
        where: the device or console; empty for acts at central.
    """

    at: datetime
    who: str
    did: str
    about: str = ""
    where: str = ""


def fact_line(told: Told, words: Words, names: Names) -> Line:
    """A fact of an office."""
    fact = told.fact
    about = told.label or formats.dashed(getattr(fact, "locator", "")) or getattr(fact, "appointment_id", None) or ""
    return Line(
        at=told.header.occurred_at,
        who=who_did(told.header.actor_id, words),
        did=_fact_words(told.header, fact, words, names),
        about=about,
        where=told.header.device_id,
    )


def act_line(act: Act, words: Words) -> Line:
    """An act at central."""
    key = f"city.act.{act.act}"
    if (by_method := f"{key}.{act.detail.get('method', '')}") in words:
        key = by_method
    values = {**dict.fromkeys(ACT_VALUES, "—"), **act.detail, "act": act.act}
    did = words.text(key if key in words else "city.act.unknown", **values)
    if act.attested:
        did = f"{did}. {words.text('city.audit.said', text=act.attested)}"
    return Line(at=act.at, who=act.actor, did=did, about=act.subject)


def life_lines(life: Life, words: Words, names: Names) -> list[Line]:
    """All that is written about one ticket or appointment, in the order of time."""
    lines = [
        *(fact_line(one, words, names) for one in life.facts),
        *(act_line(one, words) for one in life.acts),
        *_kept_lines(life, words),
        *(
            Line(
                at=mail.ended_at or mail.queued_at,
                who=words.text("city.who.system"),
                did=words.text(
                    "city.audit.life.mail",
                    kind=words.text(f"city.mail.{mail.kind}"),
                    state=words.text(f"city.mailed.{mail.state}"),
                ),
            )
            for mail in life.mails
        ),
    ]
    return sorted(lines, key=lambda line: line.at)


def who_did(actor: str, words: Words) -> str:
    """Who stands in a fact: a person's user name, citizens, or the system."""
    return words.text(f"city.who.{actor}") if actor in {"system", "citizen"} else actor


def _kept_lines(life: Life, words: Words) -> Iterator[Line]:
    if (kept := life.kept) is None:
        return
    channel = words.text(f"city.channel.{kept.channel}") if f"city.channel.{kept.channel}" in words else kept.channel
    code = formats.dashed(kept.locator)
    who = words.text("city.who.citizen" if kept.channel == "portal" else "city.who.system")
    yield Line(at=kept.booked_at, who=who, did=words.text("city.audit.life.booked", channel=channel), about=code)
    if kept.version > 1 or kept.status != "booked":
        status = words.text(f"city.status.{kept.status}")
        who = words.text("city.who.system")
        yield Line(at=kept.changed_at, who=who, did=words.text("city.audit.life.status", status=status), about=code)


def _fact_words(header: FactHeader, fact: Fact, words: Words, names: Names) -> str:
    key = f"city.fact.{told_as(fact)}{'.automatic' if getattr(fact, 'automatic', False) else ''}"
    if isinstance(fact, UnknownFact) or key not in words:
        return words.text("city.fact.unknown", type=header.type)
    return words.text(key, **_values(fact, words, names))


def _values(fact: Fact, words: Words, names: Names) -> dict[str, str]:
    service, reason = getattr(fact, "service", None), getattr(fact, "reason", None)
    office = getattr(fact, "to_office", None) or getattr(fact, "from_office", None)
    shown = _reason(reason, words) if reason else "—"
    return {
        "counter": getattr(fact, "counter", None) or "—",
        "service": names.services.get(service, service) if service else "—",
        "office": names.offices.get(office, office) if office else "—",
        "reason": shown,
        "reason_behind": f": {shown}" if reason else "",
        "origin": _coded(words, "city.origin.", getattr(fact, "origin", None)),
        "how": _how(fact, shown, words),
        "outcome": _coded(words, "console.outcome.", getattr(fact, "outcome", None)),
        "to": _to(fact, words),
        "label": getattr(fact, "label", "") or "—",
        "priority": getattr(fact, "priority_class", "") or "—",
        "undone": _coded(words, "city.undo.", getattr(fact, "undone", None)),
        "code": formats.dashed(getattr(fact, "locator", "")) or "—",
        "found_by": _coded(words, "city.found_by.", getattr(fact, "found_by", None)),
    }


def _how(fact: Fact, reason: str, words: Words) -> str:
    match getattr(fact, "how", None):
        case "chosen":
            return words.text("city.how.chosen", reason=reason)
        case "next":
            return words.text("city.how.next")
        case _:
            return "—"


def _to(fact: Fact, words: Words) -> str:
    """For whom alone a ticket is meant, with the comma in front."""
    if counter := getattr(fact, "counter", None):
        return words.text("city.to.counter", counter=counter)
    if staff := getattr(fact, "staff_id", None):
        return words.text("city.to.staff", staff=staff)
    return ""


def _reason(code: str, words: Words) -> str:
    if (key := f"city.ended.{code}") in words:
        return words.text(key)
    key = next((prefix + code for prefix in REASONS if prefix + code in words), "")
    return words.text(key) if key else code


def _coded(words: Words, prefix: str, code: str | None) -> str:
    if code is None:
        return "—"
    return words.text(prefix + code) if prefix + code in words else code
