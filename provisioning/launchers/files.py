"""Files that are there whole or not at all, whenever the writer is stopped."""

import os
from pathlib import Path


def write_whole(file: Path, content: bytes, mode: int = 0o644) -> None:
    """Write beside and rename; nobody ever reads half of it, and from its first byte only `mode` may."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f"{file.name}.new")
    beside.unlink(missing_ok=True)  # one of a stopped run may have another mode
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        out.write(content)
    beside.replace(file)
