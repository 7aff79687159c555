"""What every test may ask for."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.kit.closed_list import every_call_checked

pytest_plugins = ["tests.kit.services", "tests.kit.central_database", "tests.kit.sharing"]

# Shared machines are slow now and then; how long one example takes is no property of ours.
settings.register_profile("ventanilla", deadline=None, print_blob=True)
settings.load_profile("ventanilla")


@pytest.fixture(autouse=True)
def _closed_list(request: pytest.FixtureRequest) -> Iterator[None]:
    """The order's invariant holds at each call of each test; ``plants_faults`` is for tests that break it on purpose."""
    with every_call_checked() as broken:
        yield
    assert request.node.get_closest_marker("plants_faults") or not broken, broken
