"""The command line: what it says when it cannot start."""

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from display_agent.__main__ import first_config, main, named
from display_agent.settings import Device, Settings

GOOD = '[device]\noffice = "real"\nid = "display-1"\n'


@pytest.mark.parametrize(
    "text,says",
    [
        ("", "device"),
        (GOOD + 'colour = "red"\n', "device.colour: unknown setting"),
        (GOOD.replace("real", "La Real"), "device.office"),
        (GOOD + "[http]\nport = 99999\n", "http.port"),
        (GOOD + "[broker]\nport = 'x'\n", "broker.port"),
        ("not toml", "is not TOML"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, says: str) -> None:
    config = tmp_path / "display.toml"
    config.write_text(text)
    result = CliRunner().invoke(main, ["run", "--config", str(config)])
    assert result.exit_code == 1
    assert says in result.output
    assert "Traceback" not in result.output


def test_a_taken_port_is_a_clear_message(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = tmp_path / "display.toml"
        config.write_text(f"{GOOD}[http]\nport = {port}\n")
        result = CliRunner().invoke(main, ["run", "--config", str(config)])
    assert result.exit_code == 1
    assert f"cannot serve the page on 127.0.0.1:{port}" in result.output


def test_help_has_an_example() -> None:
    assert "Example: python -m display_agent run --config" in CliRunner().invoke(main, ["run", "--help"]).output


def test_a_display_is_known_to_its_broker_by_office_and_id() -> None:
    settings = Settings(device=Device(office="real", id="display-1", zone="b"))
    assert named(settings).broker.client_id == "real.display-1"
    assert (first_config(settings).zone, first_config(settings).office_name) == ("b", "")
