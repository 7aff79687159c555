"""Issuing tickets over HTTP, durable and with everything the product does, beside what the machine can do at most.

    python -m tests.bench.issue_ticket [--seconds 2] [--rounds 3] [--dir FOLDER]

Goals: G6, at 10 and 100 callers at least half of min(bare Litestar POST, SQLite group commit) at as many callers; G7, at
one caller a p99 of at most six solo durable commits' p99 and one bare POST's. All sides are measured in each of the
interleaved rounds, on one folder; medians. The last line is JSON. The load generator is one Python process and shares the
cores with the server, on both sides alike.
"""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection

import click
import msgspec

from provisioning.launchers.ports import free_port
from sync.io.ids import new_id
from sync.messages.feed import Entity
from tests.bench.limits import sqlite_group
from tests.bench.limits.figures import Figures, median
from tests.bench.limits.http_load import Load, load, post_request
from tests.kit.edge import entities
from tests.kit.edge_process import Browser, edge_process

CALLERS = (1, 10, 100)
SERVICES = tuple(f"service-{letter}" for letter in "abcdefghijklmnopqrstuvwxy")
"""A series of labels each: a short measurement issues more tickets than a city does in a week."""


class Round(msgspec.Struct, frozen=True):
    solo: Figures
    group: Figures
    bare: Figures
    issue: Figures


@click.command()
@click.option("--seconds", default=2.0, show_default=True, help="Length of each measurement.")
@click.option("--rounds", default=3, show_default=True, help="Interleaved rounds.")
@click.option("--dir", "folder", type=click.Path(path_type=Path), help="Where the databases stand (a disk to measure).")
def main(seconds: float, rounds: int, folder: Path | None) -> None:
    """Measure issuing tickets against the machine's limits.

    Example: python -m tests.bench.issue_ticket --seconds 3
    """
    measured: dict[int, list[Round]] = {callers: [] for callers in CALLERS}
    with tempfile.TemporaryDirectory(dir=folder) as base, bare_server() as bare_port:
        for number, callers in itertools.product(range(rounds), CALLERS):
            place = Path(base) / f"{number}-{callers}"
            place.mkdir()
            measured[callers].append(measure(place, bare_port, callers, seconds))
            print(f"round {number + 1}, {callers} callers: {_line(measured[callers][-1])}", file=sys.stderr)
    print(msgspec.json.encode(summary(measured)).decode())


def measure(folder: Path, bare_port: int, callers: int, seconds: float) -> Round:
    """One round of all sides at one number of callers."""
    solo = sqlite_group.solo(folder, seconds / 2)
    group = sqlite_group.group(folder, callers, seconds)
    echo = post_request("/echo", b'{"request_id": "0199aaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa", "service": "service-a"}')
    bare = asyncio.run(load(bare_port, callers, seconds, lambda: echo))
    offered: list[Entity] = entities(SERVICES)
    with edge_process(folder / "edge", rows=offered) as node, Browser(node.url) as browser:
        browser.sign_in("boss")
        cookies = "; ".join(f"{name}={value}" for name, value in browser.http.cookies.items())
        headers = f"cookie: {cookies}\r\nx-csrf-token: {browser.headers['x-csrf-token']}\r\n"
        issued = asyncio.run(load(node.port, callers, seconds, _issue_requests(headers)))
        check(issued)
    return Round(solo, group, bare.figures, issued.figures)


def check(issued: Load) -> None:
    """Every answer is a ticket, and no label was given twice; a fast wrong answer is no figure."""
    if set(issued.statuses) != {200}:
        raise click.ClickException(f"refused: {issued.statuses}; shorten --seconds if series ran out")
    labels = [msgspec.json.decode(body)["ticket"]["label"] for body in issued.bodies]
    if len(set(labels)) != len(labels):
        raise click.ClickException("a label was given twice")


def summary(measured: dict[int, list[Round]]) -> dict[str, object]:
    """Medians and the goals."""
    levels: dict[str, object] = {}
    ratios: dict[int, float] = {}
    for callers, rounds in measured.items():
        solo, group, bare, issue = (median([getattr(r, side) for r in rounds]) for side in Round.__struct_fields__)
        limit = min(bare.rate, group.rate)
        ratios[callers] = round(issue.rate / limit, 3)
        levels[str(callers)] = {
            "issue": issue, "bare_post": bare, "sqlite_group": group, "sqlite_solo": solo,
            "limit_rate": limit, "ratio": ratios[callers],
        }  # fmt: skip
    one = measured[1]
    allowed = [6 * r.solo.p99_ms + r.bare.p99_ms for r in one]
    g7 = round(sorted(r.issue.p99_ms / most for r, most in zip(one, allowed, strict=True))[len(one) // 2], 3)
    return {
        "bench": "issue_ticket",
        "callers": levels,
        "ratio": min(ratios[10], ratios[100]),
        "g6": {
            "goal": 0.5,
            "ratio": {str(c): ratios[c] for c in (10, 100)},
            "met": min(ratios[10], ratios[100]) >= 0.5,
        },
        "g7": {"goal": 1.0, "p99_of_allowed": g7, "met": g7 <= 1.0},
    }


@contextmanager
def bare_server() -> Iterator[int]:
    """The bare Litestar server as a process of its own; its port."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.limits.bare_post", str(port)])
    try:
        _await_port(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _issue_requests(headers: str) -> Callable[[], bytes]:
    services = itertools.cycle(SERVICES)

    def make() -> bytes:
        body = f'{{"request_id": "{new_id()}", "service": "{next(services)}"}}'
        return post_request("/api/v1/commands/take_ticket", body.encode(), headers)

    return make


def _await_port(port: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise click.ClickException("the bare server did not start")


def _line(measured: Round) -> str:
    return (
        f"issue {measured.issue.rate}/s p99 {measured.issue.p99_ms} ms, bare {measured.bare.rate}/s, "
        f"sqlite {measured.group.rate}/s"
    )


if __name__ == "__main__":
    main()
