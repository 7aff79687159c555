"""Many rows in few statements: all of them, in order, with few texts."""

import sqlite3

import pytest

from edge_node.bulk import LONGEST_RUN, insert_many


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, LONGEST_RUN, LONGEST_RUN + 1, 3 * LONGEST_RUN + 77])
def test_every_row_arrives_in_order(count: int) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, name TEXT)")
    insert_many(connection, "INSERT INTO t (n, name) VALUES (?, ?)", [(n, f"row {n}") for n in range(count)])
    rows = connection.execute("SELECT n, name FROM t ORDER BY rowid").fetchall()
    connection.close()
    assert rows == [(n, f"row {n}") for n in range(count)]


@pytest.mark.parametrize("count, statements", [(1, 1), (7, 1), (10, 1), (11, 2), (100, 3)])
def test_a_whole_batch_takes_few_statements(count: int, statements: int) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (n INTEGER)")
    seen: list[str] = []
    connection.set_trace_callback(lambda sql: seen.append(sql) if sql.startswith("INSERT") else None)
    insert_many(connection, "INSERT INTO t (n) VALUES (?)", [(n,) for n in range(count)])
    connection.close()
    assert len(seen) == statements  # 11 are 8 + 3, 100 are 64 + 32 + 4
