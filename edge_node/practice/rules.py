"""The five basic verbs that everybody learns first, and which of them a learner has done: read from the facts."""

from __future__ import annotations

import msgspec


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One verb to learn.

    Args:
        name: of the step, in pages.
        fact: the type of fact that shows that it was done.
        key: the usual key of its button.
        words: key of the button's text.
        guide, now: keys of what the guide says of it, and of what to do now.
        icon, kind: the button's.
    """

    name: str
    fact: str
    key: str
    words: str
    guide: str
    now: str
    icon: str
    kind: str = ""


STEPS = (
    Step(
        name="call",
        fact="ticket.called",
        key="F8",
        words="console.call_next",
        guide="learning.guide.call",
        now="learning.try.call",
        icon="call",
    ),
    Step(
        name="start",
        fact="ticket.started",
        key="F2",
        words="console.arrived",
        guide="learning.guide.start",
        now="learning.try.start",
        icon="check",
    ),
    Step(
        name="finish",
        fact="ticket.finished",
        key="F7",
        words="console.finish",
        guide="learning.guide.finish",
        now="learning.try.finish",
        icon="check",
    ),
    Step(
        name="no_show",
        fact="ticket.no_show",
        key="F10",
        words="console.no_show",
        guide="learning.guide.no_show",
        now="learning.try.no_show",
        icon="walk",
        kind="second",
    ),
    Step(
        name="give",
        fact="ticket.issued",
        key="F6",
        words="console.walk_in",
        guide="learning.guide.give",
        now="learning.try.give",
        icon="ticket",
        kind="second",
    ),
)


class Progress(msgspec.Struct, frozen=True):
    """What a learner has done."""

    done: frozenset[str] = frozenset()

    def with_fact(self, kind: str) -> Progress:
        """The progress once a fact of the learner's own is in the journal."""
        fresh = {step.name for step in STEPS if step.fact == kind}
        return Progress(self.done | fresh) if fresh - self.done else self

    @property
    def next(self) -> Step | None:
        """The step to do now; none when all are done."""
        return next((step for step in STEPS if step.name not in self.done), None)


def practice_cookie(cookie: str) -> str:
    """What the cookies of practice begin with, where those of the real console begin with ``cookie``."""
    return f"{cookie}_practice"
