"""A policy in the words of its page: fields with their units and bounds, what changes, what it means, who goes when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from central.policy.examples import SLOT, Person, Ranked, people, punctual, ranked
from central.policy.fields import CLASS, GROUPS, KNOWN_CLASS, START, Change, Field, classes_of, fields_of
from central.policy.rules import Fault, Say, bound_min, cautions, group_name, preview
from central.policy.trials import Trial
from sync.domain.replays.compare import Comparison, Group
from sync.messages.policy import GENERAL, Policy

LABELS: Final[Mapping[str, str]] = {
    "appointment_head_start_min": "central.policy.field.appointment",
    CLASS: "central.policy.field.class",
    "early_margin_min": "central.policy.field.early",
    "grace_min": "central.policy.field.grace",
    "late_limit_min": "central.policy.field.late",
    "secondary_threshold_min": "central.policy.field.secondary",
    "idle_takes_secondary": "central.policy.field.idle",
    "reinstate": "central.policy.field.reinstate",
    "reinstate_within_min": "central.policy.field.within",
    "recall_limit": "central.policy.field.recalls",
    "recall_gap_s": "central.policy.field.gap",
    "park_limit_min": "central.policy.field.park",
    "park_escalate_min": "central.policy.field.park_escalate",
    "pause_limit_min": "central.policy.field.pause",
}
HINTS: Final[Mapping[str, str]] = {
    "appointment_head_start_min": "central.policy.hint.appointment",
    CLASS: "central.policy.hint.class",
    "early_margin_min": "central.policy.hint.early",
    "grace_min": "central.policy.hint.grace",
    "late_limit_min": "central.policy.hint.late",
    "secondary_threshold_min": "central.policy.hint.secondary",
    "idle_takes_secondary": "central.policy.hint.idle",
    "reinstate": "central.policy.hint.reinstate",
    "reinstate_within_min": "central.policy.hint.within",
    "recall_limit": "central.policy.hint.recalls",
    "recall_gap_s": "central.policy.hint.gap",
    "park_limit_min": "central.policy.hint.park",
    "park_escalate_min": "central.policy.hint.park_escalate",
    "pause_limit_min": "central.policy.hint.pause",
}
RANGES: Final = {
    "min": "central.policy.range.min",
    "s": "central.policy.range.s",
    "times": "central.policy.range.times",
}
AMOUNTS: Final = {
    "min": "central.policy.amount.min",
    "s": "central.policy.amount.s",
    "times": "central.policy.amount.times",
}
OPTIONS: Final = {
    "yes": "central.policy.option.yes",
    "no": "central.policy.option.no",
    "keep": "central.policy.option.keep",
    "behind_two": "central.policy.option.behind_two",
    "now": "central.policy.option.now",
}
FAULT_WORDS: Final = {
    "empty": "central.policy.fault.empty",
    "no_number": "central.policy.fault.no_number",
    "out_of_range": "central.policy.fault.out_of_range",
    "over": "central.policy.fault.out_of_range",
    "late_under_grace": "central.policy.fault.late_under_grace",
    "keep_without_time": "central.policy.fault.keep_without_time",
    "no_day": "central.policy.fault.no_day",
    "too_early": "central.policy.fault.too_early",
    "too_far": "central.policy.fault.too_far",
}


class FieldView(msgspec.Struct, frozen=True, kw_only=True):
    """A field as the template draws it. ``options``: [(value, text)] of one to choose from."""

    name: str
    label: str
    hint: str
    value: str
    error: str | None
    options: tuple[tuple[str, str], ...] = ()


class ExampleView(msgspec.Struct, frozen=True, kw_only=True):
    """A person of the examples: before and after, each when they count from, when they can be called, and their place."""

    who: str
    before: str
    after: str
    place_before: int
    place_after: int
    is_changed: bool


def form_of(
    typed: Mapping[str, str], classes: Iterable[str], errors: Mapping[str, str], say: Say
) -> list[tuple[str, list[FieldView]]]:
    """The groups of the form with their fields."""
    known = tuple(classes)
    return [
        (name, [_field(one, typed.get(one.name, ""), errors.get(one.name), say) for one in fields_of(names, known)])
        for name, names in GROUPS
    ]


def label_of(field: Field, say: Say) -> str:
    if field.of_class == KNOWN_CLASS:
        return say("central.policy.field.class.reduced_mobility")
    return say(LABELS[field.parameter], name=field.of_class)


def errors_of(faults: Iterable[Fault], fields: Iterable[Field], say: Say, first: str = "") -> dict[str, str]:
    """One sentence a field, in the order of the form.

    Args:
        first: the earliest day, as people read it.
    """
    labels = {field.name: label_of(field, say) for field in fields} | {START: say("central.policy.start")}
    found = {
        one.field: say(FAULT_WORDS[one.code], field=labels[one.field], **{"day": first, **one.values}) for one in faults
    }
    return {name: found[name] for name in labels if name in found}


def told_changes(changed: Iterable[Change], say: Say) -> list[str]:
    """What changes, a sentence each."""
    return [
        say(
            "central.policy.change",
            field=label_of(one.field, say),
            before=_value(one.field, one.before, say),
            after=_value(one.field, one.after, say),
        )
        for one in changed
    ]


def meaning(policy: Policy, say: Say) -> list[str]:
    """What a policy means, sentence by sentence: first an appointment as an example, last where the guarantee comes from."""
    rank = punctual(policy)
    example = say("central.policy.example", slot=_clock(SLOT), due=_clock(rank.due_at), call=_clock(rank.callable_at))
    largest = max([policy.appointment_head_start_min, *policy.class_head_start_min.values()])
    why = say(
        "central.policy.bound_why",
        largest=largest,
        grace=policy.grace_min,
        late=policy.late_limit_min,
        n=bound_min(policy),
    )
    return [example, *preview(policy, say), why]


def told_cautions(policy: Policy, say: Say) -> list[str]:
    """What one should know before setting a policy, with parameters by the names that the form gives them."""
    return cautions(policy, say, lambda parameter: say(LABELS[parameter]))


def told_examples(before: Policy, after: Policy, say: Say) -> list[ExampleView]:
    """The same six people under two policies."""
    came = people(classes_of(before, after))
    return [
        ExampleView(
            who=_who(was.person, say),
            before=_place(was, say),
            after=_place(is_now, say),
            place_before=was.place,
            place_after=is_now.place,
            is_changed=(was.due, was.place) != (is_now.due, is_now.place),
        )
        for was, is_now in zip(ranked(before, came), ranked(after, came), strict=True)
    ]


def with_names(comparison: Comparison, services: Mapping[str, str]) -> Comparison:
    """A comparison whose services go by the names that people know."""
    named = tuple(
        msgspec.structs.replace(one, name=services.get(one.name, one.name)) if one.by == "service" else one
        for one in comparison.groups
    )
    return msgspec.structs.replace(comparison, groups=named)


def trial_rows(trial: Trial, say: Say) -> list[list[str]]:
    """The comparison as rows of a table: who, how many, half of them and nine of ten before and after, minutes."""
    return [_row(one, say) for one in trial.comparison.groups]


def _row(group: Group, say: Say) -> list[str]:
    spans = (group.before.p50_s, group.after.p50_s, group.before.p90_s, group.after.p90_s)
    return [group_name(group.by, group.name, say), str(group.people), *(f"{span / 60:.0f}" for span in spans)]


def _field(field: Field, value: str, error: str | None, say: Say) -> FieldView:
    hint = say(HINTS[field.parameter])
    if field.kind == "number":
        allowed = say(RANGES[field.unit], least=field.least, most=field.most, usual=field.usual)
        return FieldView(
            name=field.name, label=label_of(field, say), hint=f"{hint} {allowed}", value=value, error=error
        )
    values: Sequence[str] = ("yes", "no") if field.kind == "yes_no" else ("keep", "behind_two", "now")
    return FieldView(
        name=field.name,
        label=label_of(field, say),
        hint=f"{hint} {say('central.policy.usual', usual=say(OPTIONS[field.usual]))}",
        value=value,
        error=error,
        options=tuple((one, say(OPTIONS[one])) for one in values),
    )


def _value(field: Field, value: str, say: Say) -> str:
    return say(OPTIONS[value]) if field.kind != "number" else say(AMOUNTS[field.unit], n=int(value))


def _who(person: Person, say: Say) -> str:
    arrived = _clock(person.arrived_at)
    if person.slot_at is not None:
        return say("central.policy.who.appointment", slot=_clock(person.slot_at), arrived=arrived)
    if person.priority_class == GENERAL:
        return say("central.policy.who.walk_in", arrived=arrived)
    known = person.priority_class == KNOWN_CLASS
    key = "central.policy.who.reduced_mobility" if known else "central.policy.who.class"
    return say(key, arrived=arrived, name=person.priority_class)


def _place(one: Ranked, say: Say) -> str:
    key = "central.policy.place" if one.due.callable_at == one.person.arrived_at else "central.policy.place.early"
    return say(key, due=_clock(one.due.due_at), call=_clock(one.due.callable_at))


def _clock(at: object) -> str:
    """A time of the invented morning, as pages write times."""
    return f"{at:%H:%M}".removeprefix("0")
