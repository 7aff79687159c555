"""Facts about the node itself: what it runs, what it works with, how its clock was set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sync.messages.facts import Fact
from sync.messages.policy import Policy
from sync.messages.values import Seq, Slug, Uuid


class ConfigApplied(Fact, frozen=True, kw_only=True):
    """The office now works with these versions of its configuration, by kind of feed row.

    Args:
        versions: the highest version of a row.
        states: a short hash over the versions of all rows, so that one that is behind shows too; empty from a build that does
            not tell.
    """

    TYPE: ClassVar[str] = "config.applied"
    versions: dict[str, int]
    policy: Policy | None = None
    states: Mapping[str, str] = {}


class NodeStarted(Fact, frozen=True, kw_only=True):
    TYPE: ClassVar[str] = "node.started"
    node: Slug
    incarnation: Uuid
    version: str


class NodeBreakGlass(Fact, frozen=True, kw_only=True):
    """A supervisor let a node go on although somebody had seen more of its journal than it has itself.

    Args:
        seen_epoch, seen_seq: the highest place that was seen; evidence up to there is answered for.
    """

    TYPE: ClassVar[str] = "node.break_glass"
    seen_epoch: int
    seen_seq: Seq


class ClockStepped(Fact, frozen=True, kw_only=True):
    """The wall clock and the office clock had parted. The time of this fact is already the new one."""

    TYPE: ClassVar[str] = "clock.stepped"
    delta_ms: int
