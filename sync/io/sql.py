"""Named statements in ``.sql`` files, in aiosql's format: SQL stands only there, beside the feature that uses it.

A statement begins with ``-- name: stream_head`` and goes on to the next one or the end of the file; comment lines right
below the name are its documentation. Parameters are the driver's own: ``$1`` for asyncpg, ``:name`` for sqlite3. aiosql's
marks behind a name (``^``, ``$``, ``!`` ...) are accepted and mean nothing here: the caller picks fetch or execute, and hot
statements go to the driver with nothing in between.

    queries = load("central.exchange", "queries.sql")
    head = await connection.fetchrow(queries.stream_head, stream)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files

_NAME = re.compile(r"^--\s*name:\s*([a-z][a-z0-9_-]*)(?:\([^)]*\))?[\^$!#*<>]*\s*$", re.MULTILINE)
_ANY_NAME = re.compile(r"^--\s*name:.*$", re.MULTILINE)


class SqlFileError(ValueError):
    """A file of statements is not well formed: no name, a name twice, a name without a statement."""


class UnknownStatementError(AttributeError, KeyError):
    """No statement of this name stands in the file."""

    def __str__(self) -> str:
        return str(self.args[0])


class Queries(Mapping[str, str]):
    """The statements of one file: ``queries.stream_head`` or ``queries["stream_head"]`` is the text."""

    def __init__(self, source: str, statements: Mapping[str, str]) -> None:
        self._source = source
        self._statements = dict(statements)

    def __getitem__(self, name: str) -> str:
        try:
            return self._statements[name]
        except KeyError:
            raise UnknownStatementError(f"{self._source} has no statement {name!r}") from None

    def __getattr__(self, name: str) -> str:
        if name.startswith("_"):  # never looked up in the file: pickling and copying probe for such names
            raise AttributeError(name)
        return self[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._statements)

    def __len__(self) -> int:
        return len(self._statements)


def load(package: str, file: str = "queries.sql") -> Queries:
    """Read the statements of ``file`` in the folder of ``package``; do it once, at import.

    Raises:
        SqlFileError: text before the first name, a malformed or repeated name, an empty statement.
    """
    return parse((files(package) / file).read_text(encoding="utf-8"), source=f"{package}/{file}")


def parse(text: str, *, source: str) -> Queries:
    """Split the text of a file into its statements; ``source`` names it in errors."""
    names = list(_NAME.finditer(text))
    if len(names) != len(_ANY_NAME.findall(text)):
        raise SqlFileError(f"{source}: a name is malformed; write `-- name: what_it_does`")
    if not names or _without_comments(text[: names[0].start()]):
        raise SqlFileError(f"{source}: every statement needs a line `-- name: what_it_does` above it")
    statements: dict[str, str] = {}
    ends = [name.start() for name in names[1:]] + [len(text)]
    for name, end in zip(names, ends, strict=True):
        key = name.group(1).replace("-", "_")
        body = text[name.end() : end].strip().removesuffix(";").rstrip()
        if key in statements:
            raise SqlFileError(f"{source}: {key} stands there twice")
        if not _without_comments(body):
            raise SqlFileError(f"{source}: {key} has no statement")
        statements[key] = body
    return Queries(source, statements)


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--")).strip()
