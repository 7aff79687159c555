"""Which half-made booking a request is about. Pure.

One visitor may have several under way, a tab each. The cookie names the visitor by a secret, and the booking touched last;
every form, link and redirect of the wizard names its own, so that no tab goes on with what another one began.
"""

import re

import msgspec

_SECRET = re.compile(r"[A-Za-z0-9_-]{32}")


class DraftKey(msgspec.Struct, frozen=True):
    """Opens one draft: the visitor's secret and the draft's request_id. The id alone, as it stands in addresses, opens none."""

    visitor: str
    draft_id: str

    @property
    def text(self) -> str:
        """As the cookie has it."""
        return f"{self.visitor}.{self.draft_id}"


def read_key(cookie: str | None) -> DraftKey | None:
    """The key in a cookie; none in one that is not ours."""
    visitor, _, draft_id = (cookie or "").partition(".")
    return DraftKey(visitor, draft_id) if _SECRET.fullmatch(visitor) else None


def asked_key(current: DraftKey | None, draft_id: str | None) -> DraftKey | None:
    """The key for what a request names.

    Args:
        current: the key in the visitor's cookie.
        draft_id: as the form or the address says; none for an address without it, which means the booking touched last.
    """
    if current is None or draft_id is None:
        return current
    return DraftKey(current.visitor, draft_id)
