"""Named statements: what is read, and what is refused while the file is read."""

from __future__ import annotations

import sqlite3

import pytest

from sync.io.sql import SqlFileError, UnknownStatementError, parse

FILE = """-- Statements of a test.

-- name: count-rows^
-- How many there are.
SELECT count(*) FROM (VALUES (1), (2));

-- name: echo
SELECT :word AS word
"""


def test_statements_are_found_by_attribute_and_by_key() -> None:
    queries = parse(FILE, source="test.sql")

    assert list(queries) == ["count_rows", "echo"]
    assert queries.echo == queries["echo"] == "SELECT :word AS word"
    assert len(queries) == 2


def test_a_statement_runs_with_its_comments() -> None:
    queries = parse(FILE, source="test.sql")
    with sqlite3.connect(":memory:") as connection:
        assert connection.execute(queries.count_rows).fetchone() == (2,)
        assert connection.execute(queries.echo, {"word": "cita"}).fetchone() == ("cita",)
    connection.close()


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("SELECT 1", "needs a line"),
        ("SELECT 1;\n-- name: later\nSELECT 2", "needs a line"),
        ("-- name: same\nSELECT 1;\n-- name: same\nSELECT 2", "twice"),
        ("-- name: empty\n-- only words\n", "no statement"),
        ("-- name: Bad Name\nSELECT 1", "malformed"),
        ("", "needs a line"),
    ],
)
def test_a_malformed_file_is_an_error_that_names_it(text: str, complaint: str) -> None:
    with pytest.raises(SqlFileError, match=complaint) as caught:
        parse(text, source="feature/queries.sql")
    assert "feature/queries.sql" in str(caught.value)


def test_an_unknown_name_is_an_error_that_names_file_and_statement() -> None:
    queries = parse(FILE, source="test.sql")
    with pytest.raises(UnknownStatementError, match=r"test\.sql has no statement 'nothing'"):
        queries.nothing  # noqa: B018
    assert not hasattr(queries, "nothing")
    with pytest.raises(KeyError):
        queries["nothing"]
