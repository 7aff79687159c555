"""The parameters of a policy as a form has them: what may be typed, what is wrong with it, what changes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final, Literal, get_args

import msgspec

from central.policy.rules import LIMITS, Fault, faults_of
from sync.messages.policy import Policy

Unit = Literal["min", "s", "times"]
Reinstate = Literal["keep", "behind_two", "now"]

CLASS: Final = "class_head_start_min"
START: Final = "start"
"""The field of the service day from which a policy is to hold."""
KNOWN_CLASS: Final = "reduced_mobility"
"""The class that every office's form asks for; others are asked for where the office has them."""
UNITS: Final[Mapping[str, Unit]] = {"recall_limit": "times", "recall_gap_s": "s"}
"""Units of figures that are no minutes."""
ARRIVALS: Final = ("appointment_head_start_min", CLASS, "early_margin_min", "grace_min", "late_limit_min")
CALLS: Final = ("secondary_threshold_min", "idle_takes_secondary")
MISSED: Final = ("reinstate", "reinstate_within_min", "recall_limit", "recall_gap_s")
WAITS: Final = ("park_limit_min", "park_escalate_min", "pause_limit_min")
GROUPS: Final = (("arrivals", ARRIVALS), ("calls", CALLS), ("missed", MISSED), ("waits", WAITS))
"""The parameters in the order of the form."""
MOST_DIGITS: Final = 6
MOST_DAYS_AHEAD: Final = 366


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field of the form.

    Args:
        name: of the field; the parameter, with the class behind a colon where there is one.
        kind: `number`, `yes_no`, or `choice` (what a missed call costs).
        least, most: of a number.
        usual: what is recommended, as it would be typed.
    """

    name: str
    parameter: str
    of_class: str = ""
    kind: Literal["number", "yes_no", "choice"] = "number"
    unit: Unit = "min"
    least: int = 0
    most: int = 0
    usual: str = ""


class Change(msgspec.Struct, frozen=True):
    """A parameter that differs between two policies; values as they would be typed."""

    field: Field
    before: str
    after: str


def classes_of(*policies: Policy) -> tuple[str, ...]:
    """The priority classes that a form about these policies asks for."""
    return tuple(sorted({KNOWN_CLASS}.union(*(policy.class_head_start_min for policy in policies))))


def fields_of(parameters: Iterable[str], classes: Iterable[str]) -> Iterator[Field]:
    """The fields of some parameters, in their order."""
    usual = typed_of(Policy(), classes)
    for parameter in parameters:
        if parameter == "idle_takes_secondary":
            yield Field(name=parameter, parameter=parameter, kind="yes_no", usual=usual[parameter])
        elif parameter == "reinstate":
            yield Field(name=parameter, parameter=parameter, kind="choice", usual=usual[parameter])
        elif parameter == CLASS:
            yield from (_number(parameter, usual, one) for one in classes)
        else:
            yield _number(parameter, usual)


def all_fields(classes: Iterable[str]) -> tuple[Field, ...]:
    known = tuple(classes)
    return tuple(field for _, parameters in GROUPS for field in fields_of(parameters, known))


def typed_of(policy: Policy, classes: Iterable[str]) -> dict[str, str]:
    """A policy as one would type it. A class that it does not name has no head start."""
    plain: dict[str, Any] = msgspec.structs.asdict(policy)
    typed = {name: str(plain[name]) for _, names in GROUPS for name in names if name != CLASS}
    typed["idle_takes_secondary"] = "yes" if policy.idle_takes_secondary else "no"
    return typed | {f"{CLASS}:{one}": str(policy.class_head_start_min.get(one, 0)) for one in classes}


def read_typed(typed: Mapping[str, str], classes: Iterable[str]) -> Policy | tuple[Fault, ...]:
    """The policy that was typed, or why it is none: one fault a field.

    Args:
        typed: by the fields' names; what is missing is empty.
        classes: the priority classes that the form asked for.
    """
    fields, known, faults = all_fields(tuple(classes)), dict[str, Any](), list[Fault]()
    heads: dict[str, int] = {}
    for field in fields:
        text = typed.get(field.name, "").strip()
        value, code = _read(field, text)
        if code:
            faults.append(Fault(field.name, code, {"least": field.least, "most": field.most}))
        elif field.of_class:
            heads[field.of_class] = value
        else:
            known[field.parameter] = value
    if faults:
        return tuple(faults)
    policy = Policy(class_head_start_min=heads, **known)
    found = tuple(_of_form(fault) for fault in faults_of(policy))
    return found or policy


def read_start(text: str, first: date) -> date | Fault:
    """The service day from which a policy is to hold.

    Args:
        text: as a date field sends it.
        first: the earliest that may be.
    """
    try:
        start = date.fromisoformat(text.strip())
    except ValueError:
        return Fault(START, "no_day")
    if start < first:
        return Fault(START, "too_early")
    return Fault(START, "too_far") if start > first + timedelta(days=MOST_DAYS_AHEAD) else start


def changes(before: Policy, after: Policy) -> tuple[Change, ...]:
    """What differs, in the order of the form."""
    classes = classes_of(before, after)
    was, is_now = typed_of(before, classes), typed_of(after, classes)
    return tuple(
        Change(field, was[field.name], is_now[field.name])
        for field in all_fields(classes)
        if was[field.name] != is_now[field.name]
    )


def file_of(policy: Policy) -> str:
    """A policy as the file that the command line reads."""
    heads = ", ".join(f"{name} = {value}" for name, value in sorted(policy.class_head_start_min.items()))
    lines = []
    for _, names in GROUPS:
        for name in names:
            value = getattr(policy, name)
            match value:
                case bool():
                    lines.append(f"{name} = {str(value).lower()}")
                case str():
                    lines.append(f'{name} = "{value}"')
                case dict():
                    lines.append(f"{name} = {{ {heads} }}" if heads else f"{name} = {{}}")
                case _:
                    lines.append(f"{name} = {value}")
    return "\n".join(lines) + "\n"


def _number(parameter: str, usual: Mapping[str, str], of_class: str = "") -> Field:
    name = f"{parameter}:{of_class}" if of_class else parameter
    least, most = LIMITS[parameter]
    return Field(
        name=name,
        parameter=parameter,
        of_class=of_class,
        unit=UNITS.get(parameter, "min"),
        least=least,
        most=most,
        usual=usual[name],
    )


def _read(field: Field, text: str) -> tuple[Any, str]:
    """A field's value, and what is wrong with what was typed (then the value means nothing)."""
    if not text:
        return None, "empty"
    if field.kind == "yes_no":
        return text == "yes", "" if text in {"yes", "no"} else "empty"
    if field.kind == "choice":
        return text, "" if text in get_args(Reinstate) else "empty"
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        return None, "no_number"
    return int(text), "out_of_range" if int(text) > field.most else ""


def _of_form(fault: Fault) -> Fault:
    """A fault of the rules at the field of the form that it belongs to."""
    return Fault(fault.field.replace(".", ":", 1), fault.code, fault.values)
