"""What a policy may say, and what it means in words. Pure: a file's text comes in, sentences go out."""

import tomllib
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import Protocol, TypeVar

import msgspec

from sync.domain.due import bound
from sync.messages.policy import GENERAL, Policy

LIMITS = {
    "appointment_head_start_min": (0, 120),
    "class_head_start_min": (0, 120),
    "early_margin_min": (0, 60),
    "grace_min": (0, 60),
    "late_limit_min": (0, 240),
    "secondary_threshold_min": (0, 60),
    "reinstate_within_min": (0, 120),
    "recall_limit": (0, 20),
    "recall_gap_s": (0, 600),
    "park_limit_min": (1, 240),
    "park_escalate_min": (0, 120),
    "pause_limit_min": (1, 240),
}
"""Least and most of each figure: beyond, it is a slip of the hand or a queue without a bound that anybody would call one."""
USUAL = {
    "appointment_head_start_min": (20, 90),
    "early_margin_min": (0, 10),
    "grace_min": (5, 15),
    "secondary_threshold_min": (0, 15),
    "reinstate_within_min": (5, 30),
}
"""Where the queue study found nothing that speaks against a value; outside of it one is told what follows."""
KINDS = {"walk_in", "appointment", "reduced_mobility"}
"""Kinds of people with a name in the catalogues; other priority classes go by their code."""

Say = Callable[..., str]
"""Gives a text of the catalogues: its key, and its values by name."""


class Fault(msgspec.Struct, frozen=True):
    """Why a parameter cannot be what it is.

    Args:
        field: the parameter; of a class's head start ``class_head_start_min.CLASS``.
        code: one of `FAULTS`.
        values: what the sentence about it names.
    """

    field: str
    code: str
    values: dict[str, int] = msgspec.field(default_factory=dict)


FAULTS = {
    "over": "{value} is more than {most}",
    "general": f"{GENERAL} is the class without a head start",
    "late_under_grace": "{late} is less than the grace of {grace}; who is within the grace would be too late",
    "keep_without_time": '0 lets nobody keep their place; write reinstate = "now"',
}
"""What the command line says of each."""


class PolicyError(Exception):
    """A policy that cannot be used.

    Attributes:
        problems: one sentence each, beginning with the parameter.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class _File(Policy, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A policy file: an unknown parameter is an error that names it."""


def read_policy(text: str) -> Policy:
    """Read and check a policy file: TOML, the parameters at the top or under ``[policy]``; what is left out has its default.

    Raises:
        PolicyError: it is not TOML, names what no policy has, or contradicts itself.
    """
    try:
        content = tomllib.loads(text)
        made = msgspec.convert(content.get("policy", content), _File)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError([f"is not TOML: {error}"]) from error
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at ")
        raise PolicyError([f"{place.strip('`').removeprefix('$.') or 'the file'}: {problem}"]) from error
    policy = Policy(**msgspec.structs.asdict(made))
    if problems := list(problems_of(policy)):
        raise PolicyError(problems)
    return policy


def problems_of(policy: Policy) -> Iterator[str]:
    """Why a policy cannot be used, for the command line."""
    for fault in faults_of(policy):
        yield f"{fault.field}: {FAULTS[fault.code].format(**fault.values)}"


def faults_of(policy: Policy) -> Iterator[Fault]:
    """Why a policy cannot be used."""
    over = set()
    for name, value in figures_of(policy):
        _, most = LIMITS[name.partition(".")[0]]
        if value > most:
            over.add(name)
            yield Fault(name, "over", {"value": value, "most": most})
    if GENERAL in policy.class_head_start_min:
        yield Fault(f"class_head_start_min.{GENERAL}", "general")
    if policy.late_limit_min < policy.grace_min and not over & {"late_limit_min", "grace_min"}:
        yield Fault("late_limit_min", "late_under_grace", {"late": policy.late_limit_min, "grace": policy.grace_min})
    if policy.reinstate == "keep" and policy.reinstate_within_min == 0:
        yield Fault("reinstate_within_min", "keep_without_time")


def figures_of(policy: Policy) -> Iterator[tuple[str, int]]:
    """Every figure of a policy by its parameter's name, classes one by one."""
    for name in LIMITS:
        if name == "class_head_start_min":
            yield from ((f"{name}.{each}", value) for each, value in sorted(policy.class_head_start_min.items()))
        else:
            yield name, getattr(policy, name)


def preview(policy: Policy, say: Say) -> list[str]:
    """What a policy means for the people of an office, sentence by sentence, the bound last."""
    return [*_arrivals(policy, say), *_calls(policy, say), say("central.policy.bound", n=bound_min(policy))]


def cautions(policy: Policy, say: Say, called: Callable[[str], str] = str) -> list[str]:
    """What one should know before setting a policy; nothing for the recommended one.

    Args:
        called: what a parameter is called; its own name, as files have it, unless given.
    """
    largest = max([policy.appointment_head_start_min, *policy.class_head_start_min.values()])
    said = []
    if policy.late_limit_min > largest + policy.grace_min:
        said.append(say("central.policy.late_sets_bound", late=policy.late_limit_min, n=bound_min(policy)))
    for name, head_start_min in sorted(policy.class_head_start_min.items()):
        if head_start_min > policy.appointment_head_start_min:
            words = say("central.policy.by.reduced_mobility") if name == "reduced_mobility" else name
            said.append(say("central.policy.class_over", name=words, n=head_start_min))
    for name, (least, most) in USUAL.items():
        value = getattr(policy, name)
        if not least <= value <= most:
            said.append(say("central.policy.unusual", name=called(name), value=value, least=least, most=most))
    if not policy.idle_takes_secondary:
        said.append(say("central.policy.idle_waits"))
    return said


def group_name(by: str, name: str, say: Say) -> str:
    """What a group of a comparison is called."""
    if by == "kind":
        return say(f"central.policy.by.{name if name in KINDS else 'class'}", name=name)
    return say(f"central.policy.by.{by}", name=name)


Known = TypeVar("Known", bound="Dated")


class Dated(Protocol):
    """Something that holds from a service day on."""

    @property
    def effective_from(self) -> date: ...


def in_force(known: Sequence[Known], day: date) -> Known:
    """What holds on a service day, of what is known of an office: the newest that begins by then.

    Args:
        known: sorted by the day from which they hold, at least one; before the first day the first holds.
    """
    begun = [one for one in known if one.effective_from <= day]
    return begun[-1] if begun else known[0]


def next_after(known: Sequence[Known], day: date) -> Known | None:
    """What begins next after a service day."""
    return next((one for one in known if one.effective_from > day), None)


def bound_min(policy: Policy) -> int:
    """B of the queue study, minutes."""
    return bound(policy) // timedelta(minutes=1)


def _arrivals(policy: Policy, say: Say) -> Iterator[str]:
    if policy.appointment_head_start_min:
        yield say("central.policy.appointment", n=policy.appointment_head_start_min)
    else:
        yield say("central.policy.appointment_none")
    for name, head_start_min in sorted(policy.class_head_start_min.items()):
        if head_start_min:
            known = f"central.policy.class.{name}"
            yield say(known if name == "reduced_mobility" else "central.policy.class", name=name, n=head_start_min)
    yield say("central.policy.early", n=policy.early_margin_min)
    yield say("central.policy.late", grace=policy.grace_min, late=policy.late_limit_min)


def _calls(policy: Policy, say: Say) -> Iterator[str]:
    yield say("central.policy.secondary", n=policy.secondary_threshold_min)
    yield say("central.policy.idle" if policy.idle_takes_secondary else "central.policy.idle_not")
    yield say(f"central.policy.back.{policy.reinstate}", n=policy.reinstate_within_min)
    yield say("central.policy.recall", times=policy.recall_limit, gap=policy.recall_gap_s)
    yield say(
        "central.policy.parked", n=policy.park_limit_min, more=policy.park_escalate_min, pause=policy.pause_limit_min
    )
