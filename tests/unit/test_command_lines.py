"""Every command that documents name says how it is called, without doing anything."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner

from central.__main__ import main as central
from display_agent.__main__ import main as display
from edge_node.__main__ import main as edge
from kiosk_agent.__main__ import main as kiosk
from tests.golden.record import main as record
from tests.simulation.__main__ import main as simulation


@pytest.mark.parametrize("command", [central, display, edge, kiosk], ids=["central", "display", "edge", "kiosk"])
def test_a_role_answers_help_with_an_example(command: object) -> None:
    answer = CliRunner().invoke(command, ["--help"])  # type: ignore[arg-type]
    assert answer.exit_code == 0
    assert "Example: python -m " in answer.output


@pytest.mark.parametrize("command", [record, simulation], ids=["record", "simulation"])
def test_a_tool_answers_help_with_an_example(
    command: Callable[[list[str]], object], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "example: python -m " in said
    assert len(said) < 2000
