"""`python -m central`: every command explains itself and says what an operator can put right."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from central.__main__ import main
from tests.kit.small_city import TEMPLATE


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_shows_an_example(command: str) -> None:
    result = CliRunner().invoke(main, [command, "--help"])
    assert result.exit_code == 0
    assert f"Example: python -m central {command}" in result.output


def test_a_bad_city_is_explained_before_anything_is_opened(tmp_path: Path) -> None:
    city = tmp_path / "city.toml"
    city.write_text(TEMPLATE.format(seats=1).replace("Africa/Ceuta", "Nowhere"))
    result = CliRunner().invoke(main, ["load-city", str(city)])
    assert result.exit_code == 1
    assert "city.time_zone: 'Nowhere' is no time zone" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "content,problem",
    [
        ("[http]\nprot = 1\n", "http.prot: unknown setting"),
        ('[database]\ndsn = "postgresql://postgres@127.0.0.1:1/none"\n', "cannot reach the database"),
        ("[http", "is not TOML"),
    ],
)
def test_bad_settings_are_one_line(tmp_path: Path, content: str, problem: str) -> None:
    config = tmp_path / "central.toml"
    config.write_text(content)
    result = CliRunner().invoke(main, ["migrate", "--config", str(config)])
    assert result.exit_code == 1
    assert problem in result.output
