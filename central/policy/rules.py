"""What a policy may say, and what it means in words. Pure: a file's text comes in, sentences go out."""

import tomllib
from collections.abc import Callable, Iterator
from datetime import timedelta

import msgspec

from sync.domain.due import bound
from sync.messages.policy import GENERAL, Policy

MOST_HEAD_START_MIN = 120
MOST_THRESHOLD_MIN = 60
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
    """Why a policy cannot be used."""
    if policy.late_limit_min < policy.grace_min:
        yield (
            f"late_limit_min: {policy.late_limit_min} is less than the grace of {policy.grace_min}; "
            "who is within the grace would be too late"
        )
    if policy.appointment_head_start_min > MOST_HEAD_START_MIN:
        yield f"appointment_head_start_min: {policy.appointment_head_start_min} is more than {MOST_HEAD_START_MIN}"
    for name, head_start_min in policy.class_head_start_min.items():
        if name == GENERAL:
            yield f"class_head_start_min: {GENERAL} is the class without a head start"
        elif head_start_min > MOST_HEAD_START_MIN:
            yield f"class_head_start_min.{name}: {head_start_min} is more than {MOST_HEAD_START_MIN}"
    if policy.secondary_threshold_min > MOST_THRESHOLD_MIN:
        yield (
            f"secondary_threshold_min: {policy.secondary_threshold_min} is more than {MOST_THRESHOLD_MIN}; "
            "scarce services would have no bound"
        )
    if policy.reinstate == "keep" and policy.reinstate_within_min == 0:
        yield 'reinstate_within_min: 0 lets nobody keep their place; write reinstate = "now"'


def preview(policy: Policy, say: Say) -> list[str]:
    """What a policy means for the people of an office, sentence by sentence, the bound last."""
    return [*_arrivals(policy, say), *_calls(policy, say), say("central.policy.bound", n=bound_min(policy))]


def cautions(policy: Policy, say: Say) -> list[str]:
    """What one should know before setting a policy; nothing for the recommended one."""
    largest = max([policy.appointment_head_start_min, *policy.class_head_start_min.values()])
    said = []
    if policy.late_limit_min > largest + policy.grace_min:
        said.append(say("central.policy.late_sets_bound", late=policy.late_limit_min, n=bound_min(policy)))
    for name, head_start_min in sorted(policy.class_head_start_min.items()):
        if head_start_min > policy.appointment_head_start_min:
            said.append(say("central.policy.class_over", name=name, n=head_start_min))
    for name, (least, most) in USUAL.items():
        value = getattr(policy, name)
        if not least <= value <= most:
            said.append(say("central.policy.unusual", name=name, value=value, least=least, most=most))
    if not policy.idle_takes_secondary:
        said.append(say("central.policy.idle_waits"))
    return said


def group_name(by: str, name: str, say: Say) -> str:
    """What a group of a comparison is called."""
    if by == "kind":
        return say(f"central.policy.by.{name if name in KINDS else 'class'}", name=name)
    return say(f"central.policy.by.{by}", name=name)


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
