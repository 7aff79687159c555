"""The city's identity provider, as this office's settings name it. Beside the password, which works without any network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_node.console.routes import AnyRequest, node_of
from edge_node.node import EdgeNode
from provisioning.settings import read_secret

if TYPE_CHECKING:
    from sync.io.single_sign_on.sign_on import SignOn

ACCOUNT: Final = "/sign-in/account"
ACCOUNT_RETURN: Final = "/sign-in/account/return"


def open_accounts(node: EdgeNode) -> SignOn | None:
    """Single sign-on; none without an issuer, and then nothing of its libraries is loaded.

    Raises:
        SettingsError: the client's secret cannot be read.
    """
    rules = node.settings.single_sign_on
    if not rules.is_used:
        return None
    from sync.io.single_sign_on.sign_on import SignOn

    return SignOn(
        rules,
        secret=read_secret(rules.client_secret_file) if rules.client_secret_file else None,
        return_to=rules.return_url.rstrip("/") + ACCOUNT_RETURN,
        seal=node.identity.csrf_secret.encode(),
        now=node.central_now,
    )


def accounts_of(request: AnyRequest) -> SignOn | None:
    """What this application was given; none in practice."""
    accounts: SignOn | None = request.app.state.accounts
    return accounts


def account_address(request: AnyRequest) -> str:
    """Where the way to the provider begins; empty where there is none, and while the way out of the office is known to be cut."""
    node = node_of(request)
    is_cut = node.link is not None and not node.link.connected
    return "" if accounts_of(request) is None or is_cut else ACCOUNT
