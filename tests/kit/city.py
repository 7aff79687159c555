"""A real city for tests: its processes on free ports in a throw-away folder."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from provisioning.demo.city import City
from provisioning.demo.plan import DemoConfig, on_free_ports, read_config
from provisioning.launchers.ports import free_port


@contextlib.contextmanager
def running_city(
    tell: Callable[[str], None] = lambda _text: None, folder: Path | None = None, config: DemoConfig | None = None
) -> Iterator[City]:
    """Start the demo's city on free ports; everything is stopped and forgotten at the end, unless a folder is given."""
    with contextlib.ExitStack() as stack:
        root = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="city-")))
        yield stack.enter_context(City(root, on_free_ports(config or read_config(), free_port), tell))
