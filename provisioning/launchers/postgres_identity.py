"""Who Postgres runs as, since it refuses to run as root.

A plain user: as that user. Root: in a user namespace in which root is nobody, so that files stay root's and nothing is made
readable. Where namespaces are refused (chroots, most containers): as uid 65534, which owns the data then, with the one
capability to pass through folders that are closed to it. Without that too: as uid 65534, and the folders must be open for
all to enter.
"""

import os
import subprocess
from functools import cache
from typing import Final

import msgspec

from provisioning.launchers.postgres_binaries import PostgresError

NOBODY: Final = 65534
IN_NAMESPACE: Final = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--")
AS_NOBODY: Final = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
PASSING_THROUGH: Final = (
    *AS_NOBODY,
    "--securebits=+no_setuid_fixup",  # else access(2), by which initdb finds its own program, ignores the capability
    "--inh-caps=+dac_override",
    "--ambient-caps=+dac_override",
    "--",
)


class Identity(msgspec.Struct, frozen=True):
    """How a command gets to be somebody that Postgres accepts.

    Attributes:
        prefix: put before the command; empty for a plain user.
        owner: who has to own the data folder, if not we.
        needs_open_folders: that somebody cannot pass through closed folders.
    """

    prefix: tuple[str, ...] = ()
    owner: int | None = None
    needs_open_folders: bool = False


FOR_ROOT: Final = (
    Identity(IN_NAMESPACE),
    Identity(PASSING_THROUGH, owner=NOBODY),
    Identity((*AS_NOBODY, "--"), owner=NOBODY, needs_open_folders=True),
)


def find_identity() -> Identity:
    """The first way that works here.

    Raises:
        PostgresError: root, and there is none.
    """
    if os.geteuid() != 0:
        return Identity()
    for identity in FOR_ROOT:
        if works(identity.prefix):
            return identity
    raise PostgresError(
        "Postgres does not run as root, and this machine lets root become nobody else. Use a plain user."
    )


@cache
def works(prefix: tuple[str, ...]) -> bool:
    try:
        return subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False
