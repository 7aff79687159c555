"""What the policy's pages show of an office, and of a change that is being made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

import msgspec
from markupsafe import Markup

from central.offices.catalogue import OfficeRecord
from central.policy import telling
from central.policy.chart import chart
from central.policy.fields import START, all_fields, changes, classes_of, file_of, read_start, read_typed, typed_of
from central.policy.rules import Fault, bound_min, in_force, next_after
from central.policy.store import SetPolicy, policies_known
from central.policy.trials import DAYS, NoTrial, Trial
from central.portal.service import Portal
from central.portal.visit import Form, Page
from central.staff.gate import POLICIES, StaffVisit
from central.staff.people import names_of
from central.staff.rules import Member
from sync.domain.service_day import service_date
from sync.messages.policy import Policy
from ui import formats

SHOWN: Final = 20
"""Versions that are listed; the record has all."""
JUDGED: Final = "judged"
"""What the hidden field ``view`` says of a form that shows what is wrong."""
NO_TRIAL: Final[Mapping[NoTrial, str]] = {
    "busy": "central.policy.trial.busy",
    "nobody": "central.policy.trial.nobody",
    "too_long": "central.policy.trial.too_long",
}


class At(msgspec.Struct, frozen=True, kw_only=True):
    """An office and all its policies.

    Args:
        known: oldest first.
        choice: the offices that the person may choose among; none for who has one.
        names: of those who set a policy.
    """

    office: OfficeRecord
    known: list[SetPolicy]
    today: date
    choice: tuple[tuple[str, str], ...]
    names: Mapping[str, str]

    @classmethod
    async def read(cls, portal: Portal, member: Member, office: str) -> At | None:
        """An office as it is now; none when there is no such office."""
        offices = (await portal.booking.catalogue.current()).offices
        if (record := offices.get(office)) is None:
            return None
        pool = portal.central.pool
        known = await policies_known(pool, record)
        return cls(
            office=record,
            known=known,
            today=service_date(portal.central.clock.now(), record.zone),
            choice=tuple((one.id, one.name) for one in offices.values()) if member.is_city_wide else (),
            names=await names_of(pool, {one.set_by for one in known}),
        )

    @property
    def first(self) -> date:
        """The earliest day from which another policy can hold."""
        return self.today + timedelta(days=1)

    @property
    def newest(self) -> int:
        return max(one.policy.version for one in self.known)

    @property
    def frame(self) -> dict[str, Any]:
        """What every page about the office needs."""
        return {"tab": POLICIES, "choice": self.choice, "office": self.office.id, "office_name": self.office.name}

    def by(self, one: SetPolicy) -> str:
        """Who set a policy, as people know them; empty for the city's file."""
        return self.names.get(one.set_by, one.set_by)


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A change as it was typed.

    Args:
        form: what was sent.
        typed: by the names of fields.
        seen: the newest version that its page knew.
        policy, start: what was typed, where nothing is wrong with it.
        faults: what is.
    """

    form: Form
    typed: dict[str, str]
    classes: tuple[str, ...]
    seen: int
    policy: Policy | None
    start: date | None
    faults: tuple[Fault, ...]

    @classmethod
    def of(cls, at: At) -> Draft:
        """A change that nobody has begun to type: what would hold on the first day that can be."""
        base = in_force(at.known, at.first).policy
        classes = classes_of(*(one.policy for one in at.known))
        typed = typed_of(base, classes) | {START: at.first.isoformat()}
        return cls(form=Form({}), typed=typed, classes=classes, seen=at.newest, policy=base, start=at.first, faults=())

    @classmethod
    def typed_in(cls, form: Form, at: At) -> Draft:
        """What was sent; what of it is not there is empty."""
        classes = classes_of(*(one.policy for one in at.known))
        typed = {field.name: form.get(field.name) for field in all_fields(classes)}
        typed[START] = form.get(START)
        policy, start = read_typed(typed, classes), read_start(typed[START], at.first)
        wrong = (*(policy if isinstance(policy, tuple) else ()), *((start,) if isinstance(start, Fault) else ()))
        seen = form.get("seen")
        return cls(
            form=form,
            typed=typed,
            classes=classes,
            seen=int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 9 else 0,
            policy=policy if isinstance(policy, Policy) else None,
            start=start if isinstance(start, date) else None,
            faults=wrong,
        )

    def over(self, at: At) -> Draft:
        """The same over what is known by now."""
        return msgspec.structs.replace(self, seen=at.newest)


async def show_page(visit: StaffVisit, at: At, *, saved: int | None) -> Page:
    """What holds, what is to come, what held."""
    say, now = visit.words.text, in_force(at.known, at.today)
    index = at.known.index(now)
    done = next((one for one in at.known if one.policy.version == saved), None)
    values = {
        "at": at,
        "now": now,
        "by": at.by(now),
        "meaning": telling.meaning(now.policy, say),
        "cautions": telling.told_cautions(now.policy, say),
        "coming": [_version(at, n, visit) for n in range(index + 1, len(at.known))][:SHOWN],
        "former": [_version(at, n, visit) for n in range(index - 1, -1, -1)][:SHOWN],
        "saved": done,
        "days": DAYS,
    }
    return visit.page("policy/show.html", {**at.frame, **values})


def form_page(
    visit: StaffVisit, at: At, draft: Draft, *, judged: bool = False, overtaken: SetPolicy | None = None
) -> Page:
    """The form with what was typed.

    Args:
        judged: say what is wrong with it.
        overtaken: what somebody else set meanwhile.
    """
    say = visit.words.text
    errors = _errors(visit, at, draft) if judged else {}
    theirs = None
    if overtaken is not None:
        before = in_force(
            [one for one in at.known if one.policy.version != overtaken.policy.version], overtaken.effective_from
        )
        theirs = {
            "by": at.by(overtaken),
            "version": overtaken.policy.version,
            "day": formats.day(overtaken.effective_from, visit.locale),
            "changes": telling.told_changes(changes(before.policy, overtaken.policy), say),
        }
    values = {
        **_of_form(at, draft),
        "groups": telling.form_of(draft.typed, draft.classes, errors, say),
        "errors": list(errors.items()),
        "error_of": errors,
        "theirs": theirs,
        "view": JUDGED if judged else "form",
    }
    status = 409 if overtaken is not None else 422 if errors else 200
    return visit.page("policy/form.html", {**at.frame, **values}, status=status)


def check_page(
    visit: StaffVisit,
    at: At,
    draft: Draft,
    *,
    came: Trial | NoTrial | None = None,
    services: Mapping[str, str] | None = None,
) -> Page:
    """What the change means, before it is set; the form again when something is wrong with it.

    Args:
        came: what a try on past days came to.
        services: their names, for it.
    """
    if draft.policy is None or draft.start is None:
        return form_page(visit, at, draft, judged=True)
    say, start = visit.words.text, draft.start
    before = in_force(at.known, start)
    after = msgspec.structs.replace(draft.policy, version=before.policy.version)
    until = next_after(at.known, start)
    trial = came if isinstance(came, Trial) else None
    named = telling.with_names(trial.comparison, services or {}) if trial else None
    values = {
        **_of_form(at, draft),
        "fields": list(draft.typed.items()),
        "start": start,
        "until": until,
        "replaced": before if before.effective_from == start else None,
        "before": before,
        "changes": telling.told_changes(changes(before.policy, after), say),
        "meaning": telling.meaning(after, say),
        "cautions": telling.told_cautions(after, say),
        "bound_before": bound_min(before.policy),
        "bound_after": bound_min(after),
        "examples": telling.told_examples(before.policy, after, say),
        "file": file_of(after),
        "days": DAYS,
        "trial": named,
        "trial_rows": telling.trial_rows(Trial(named, 0), say) if named else [],
        "chosen": trial.chosen if trial else 0,
        "picture": Markup(chart(named, say)) if named else "",  # noqa: S704 - our own SVG, its texts escaped
        "no_trial": NO_TRIAL[came] if isinstance(came, str) else "",
    }
    return visit.page("policy/check.html", {**at.frame, **values})


def _of_form(at: At, draft: Draft) -> dict[str, Any]:
    return {
        "at": at,
        "typed": draft.typed,
        "seen": draft.seen,
        "action": f"{POLICIES}/{at.office.id}/cambiar",
        "here": f"{POLICIES}/{at.office.id}/cambiar",
        "keeps": "policy",
    }


def _errors(visit: StaffVisit, at: At, draft: Draft) -> dict[str, str]:
    first = formats.day(at.first, visit.locale)
    return telling.errors_of(draft.faults, all_fields(draft.classes), visit.words.text, first)


def _version(at: At, n: int, visit: StaffVisit) -> dict[str, Any]:
    one = at.known[n]
    before = at.known[n - 1] if n else None
    return {
        "one": one,
        "by": at.by(one),
        "bound": bound_min(one.policy),
        "changes": telling.told_changes(changes(before.policy, one.policy), visit.words.text) if before else [],
    }
