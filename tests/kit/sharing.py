"""How tests are shared out over workers: what takes longest begins first, and whole cities run one after the other.

The tests of one file stay together, since they share servers. Three cities at once on two cores would only test whether faults
are told apart from a machine that is slow.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

CITIES = (
    "tests/fault/test_processes.py",
    "tests/fault/test_city.py",
    "tests/fault/test_two_versions.py",
    "tests/integration/demo/test_canaries.py",
)
LONG = ("tests/simulation/", "tests/browser/", "tests/fault/", "tests/stateful/")


class CitiesInOneRow(LoadFileScheduling):  # type: ignore[misc]
    """By file, and all files with cities as if they were one; in the order in which tests were collected."""

    def _split_scope(self, nodeid: str) -> str:
        return "cities" if nodeid.startswith(CITIES) else super()._split_scope(nodeid)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: rank(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> CitiesInOneRow | None:
    if config.getvalue("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return CitiesInOneRow(config, log)


def rank(nodeid: str) -> int:
    """Smaller begins earlier; files of one rank keep their order."""
    return 0 if nodeid.startswith(CITIES) else 1 if nodeid.startswith(LONG) else 2
