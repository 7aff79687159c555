"""A serial line made of software: a pty whose far end is opened by its path like any serial device."""

from __future__ import annotations

import os
import pty
import tty
from pathlib import Path


class PtyLine:
    """An open line.

    Args:
        link: a path that always points at the present line, as udev's by-id links do: every new pty has another name.

    Attributes:
        ours: the descriptor of this end; reading never blocks.
        path: what the other side opens.
    """

    def __init__(self, link: Path | None = None) -> None:
        self.ours, self._theirs = pty.openpty()
        tty.setraw(self._theirs)
        os.set_blocking(self.ours, False)
        self._link = link
        device = Path(os.ttyname(self._theirs))
        self.path = str(link or device)
        if link is not None:
            _point(link, device)

    def close(self) -> None:
        """Take the line away; whoever reads the other end sees it gone."""
        os.close(self.ours)
        os.close(self._theirs)
        if self._link is not None:
            self._link.unlink(missing_ok=True)


def _point(link: Path, device: Path) -> None:
    """Make the link point at the device in one step."""
    new = link.with_name(f"{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(device)
    new.replace(link)
