"""When open pages are told of the link to central: when what they say of it changes, and not with every fact that goes up."""

from __future__ import annotations

from collections.abc import Hashable

from edge_node.console.notices import link_key
from edge_node.uplink.link import LinkState


def shown_of(link: LinkState | None) -> Hashable:
    """All of the link that a page shows. How many facts are pending is shown only beside a text about them."""
    if link is None:
        return None
    key = link_key(link)
    return key, link.pending_facts if key else 0, link.halted, link.fenced_by, link.too_old, link.durability
