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


@pytest.mark.parametrize(
    "arguments,problem",
    [
        (["replace-node", "centro", "--node", "Edge Centro"], "'Edge Centro' is no name of a node"),
        (["replace-node", "centro", "--node", "edge\n"], "is no name of a node"),
        (["replace-node", "centro", "--node", "e" * 41], "is no name of a node"),
        (["replace-node", "centro", "--node", "edge-2", "--attest", " "], "must not be empty"),
        (["replace-node", "centro", "--node", "edge-2", "--activation", "/nowhere/a.json"], "there is no folder"),
        (["register-node", "centro", "EDGE"], "'EDGE' is no name of a node"),
        (["register-node", "centro", "edge-1", "--epoch", "0"], "0 is not in the range"),
        (["reclaim-lease", "7", "--attest", ""], "must not be empty"),
        (["reclaim-lease", "7", "--attest", "burnt"], "7 is no id"),
        (["recall-lease", "x"], "x is no id"),
        (["erase-person", "--document", "X", "--attest", " "], "must not be empty"),
        (["erase-person", "--attest", "request"], "say --document or --locator, one of them"),
        (["skip-office", "real", "--attest", "\t"], "must not be empty"),
        (["skip-office", "real", "--attest", "closed", "--by", ""], "must not be empty"),
        (["restored", "--attest", ""], "must not be empty"),
        (["conflicts", "resolve", "a:b:c", "--done", ""], "must not be empty"),
        (["parked", "show", "centro"], "is no place of a fact"),
        (["parked", "show", f"centro:1:{2**63}"], "is no place of a fact"),
        (["send-ticket", "A12", "real"], "A12 is no id"),
    ],
)
def test_a_wrong_argument_is_one_line_and_opens_nothing(arguments: list[str], problem: str, tmp_path: Path) -> None:
    """No database is there to be opened."""
    config = tmp_path / "central.toml"
    config.write_text('[database]\ndsn = "postgresql://postgres@127.0.0.1:1/none"\n')
    key = tmp_path / "node.pub.pem"
    key.write_text("none")
    if arguments[0].endswith("-node"):
        arguments = [*arguments, "--public-key", str(key)]
    if arguments[0] == "replace-node" and "--attest" not in arguments:
        arguments = [*arguments, "--attest", "burnt"]
    result = CliRunner().invoke(main, [*arguments, "--config", str(config)])
    assert result.exit_code in (1, 2)
    assert problem in result.output
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
