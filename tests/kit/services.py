"""The outside services that tests use, as fixtures: Postgres of both versions, and an MQTT broker.

    async def test_something(postgres_database: str) -> None:      # a DSN; once per Postgres version
        connection = await asyncpg.connect(postgres_database)

A test module that needs a schema makes a template once per cluster and gets a copy per test:

    @pytest.fixture
    def database(postgres_cluster: Cluster) -> Iterator[str]:
        with postgres_cluster.fresh(postgres_cluster.template("central", migrate)) as dsn:
            yield dsn
"""

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from provisioning.launchers.broker import Broker, available
from provisioning.launchers.postgres import Postgres
from provisioning.launchers.postgres_binaries import Binaries, installed_binaries, wheel_binaries

_FINDERS = {"wheel": wheel_binaries, "installed": installed_binaries}


def require(condition: object, reason: str) -> None:
    """Go on if the machine has what the test needs; else skip and say so, or fail where all of it must be there (CI)."""
    if condition:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}, and CI must run every test", pytrace=False)
    pytest.skip(reason)


class Cluster:
    """A running Postgres that hands out databases."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self._numbers = itertools.count(1)
        self._templates: set[str] = set()

    def template(self, name: str, prepare: Callable[[str], None]) -> str:
        """The database `name`, made once per cluster: `prepare` gets its DSN and must leave no connection open."""
        if name not in self._templates:
            self.server.ensure_database(name)
            prepare(self.server.dsn(name))
            self._templates.add(name)
        return name

    @contextmanager
    def fresh(self, template: str = "template1") -> Iterator[str]:
        """The DSN of a new copy of `template`, dropped afterwards with whoever is still connected."""
        name = f"test_{next(self._numbers)}"
        self.server.run_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield self.server.dsn(name)
        self.server.run_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session", params=list(_FINDERS))
def postgres_binaries(request: pytest.FixtureRequest) -> Binaries:
    """The wheel's Postgres, then the installed one: a test that asks for it runs on both."""
    binaries = _FINDERS[request.param]()
    require(binaries, f"there is no {request.param} Postgres here")
    assert binaries is not None
    return binaries


@pytest.fixture(scope="session")
def postgres_cluster(postgres_binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One server per version for the whole run, without fsync."""
    folder = tmp_path_factory.mktemp(f"pg{postgres_binaries.major}")
    with Postgres(folder, binaries=postgres_binaries, durable=False) as server:
        yield Cluster(server)


@pytest.fixture
def postgres_database(postgres_cluster: Cluster) -> Iterator[str]:
    """The DSN of an empty database of the test's own."""
    with postgres_cluster.fresh() as dsn:
        yield dsn


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker of the test's own: mosquitto if it is installed, else the wheel's."""
    require(list(available()), "there is no MQTT broker here")
    with Broker(tmp_path / "broker") as running:
        yield running
