"""Who may sign in at an office that has not heard of central for long. How guesses wait: ``sync.domain.sign_in``."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta


def may_sign_in(age: timedelta, limit: timedelta, *, roles: Collection[str], present: Collection[str]) -> bool:
    """Whether what is known of somebody is fresh enough to let them in. When it is not, only the supervision may come, and
    answers for the others as long as it is there: an office that is cut off for a week must work, and whoever lost access
    meanwhile must not come alone.

    Args:
        age: since central was last heard.
        roles: of whoever comes.
        present: roles of those who are signed in.
    """
    return age < limit or "supervisor" in roles or "supervisor" in present
