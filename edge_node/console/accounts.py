"""Where the city's identity provider is found at this office. Beside the password, which works without any network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_node.console.routes import AnyRequest, node_of

if TYPE_CHECKING:
    from sync.io.single_sign_on.sign_on import SignOn

ACCOUNT: Final = "/sign-in/account"
ACCOUNT_RETURN: Final = "/sign-in/account/return"


def sign_on_of(request: AnyRequest) -> SignOn | None:
    """The provider that this application leads to; none without one, and none in practice."""
    sign_on: SignOn | None = request.app.state.sign_on
    return sign_on


def account_address(request: AnyRequest) -> str:
    """Where the way to the provider begins; empty where there is none, and while the way out of the office is known to be cut."""
    node = node_of(request)
    is_cut = node.link is not None and not node.link.connected
    return "" if sign_on_of(request) is None or is_cut else ACCOUNT
