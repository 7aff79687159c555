"""The one request that a loop has in flight.

Theory
    States: idle, and asking(request). ``open`` leads from idle to asking; the reply, the refusal or the failure of exactly
    that request leads back. Whatever carries another id was sent for a request that is over, so its sender decided on a
    state that is over: it is dropped. Random ids have no order, so there is no "newer" reply to prefer.
    A restart forgets the request: it begins idle, and late replies to the old life find nobody.
"""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar


class Request(Protocol):
    """Any message that is answered by its id."""

    @property
    def request_id(self) -> str: ...


RequestT = TypeVar("RequestT", bound=Request)


class InFlight(Generic[RequestT]):
    """At most one open request, and how many exchanges in a row have failed."""

    def __init__(self) -> None:
        self.request: RequestT | None = None
        self.failures = 0

    def open(self, request: RequestT) -> RequestT:
        """Begin to wait for the reply to ``request``."""
        assert self.request is None, "one request in flight per loop"
        self.request = request
        return request

    def take(self, request_id: str) -> RequestT | None:
        """Close and return the open request if it is the one answered; None if the message answers nothing."""
        request = self.request
        if request is None or request.request_id != request_id:
            return None
        self.request = None
        return request

    def fail(self, request_id: str) -> bool:
        """Close the open request as failed (cut, timeout, 5xx); False if it is not the open one."""
        if self.take(request_id) is None:
            return False
        self.failures += 1
        return True


class Dropped:
    """The message answered no open request; nothing was done."""

    def __repr__(self) -> str:
        return "Dropped()"


DROPPED = Dropped()
