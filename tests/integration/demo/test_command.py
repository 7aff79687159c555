"""``cut`` and ``heal`` reach the demo of the folder that they are called in, and no other."""

from __future__ import annotations

from pathlib import Path

import httpx
import msgspec
import pytest
from click.testing import CliRunner, Result

from provisioning.demo.command import demo
from provisioning.demo.plan import DemoConfig, Places, on_free_ports, read_config
from provisioning.launchers.ports import free_port

OTHER = on_free_ports(read_config(), free_port)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The addresses that are asked, in a folder of its own."""
    addresses: list[str] = []

    def post(url: str, **_: object) -> httpx.Response:
        addresses.append(url)
        return httpx.Response(200, request=httpx.Request("POST", url))

    monkeypatch.setattr(httpx, "post", post)
    monkeypatch.chdir(tmp_path)
    return addresses


def note(folder: Path, config: DemoConfig = OTHER) -> None:
    folder.mkdir()
    Places(folder).config.write_bytes(msgspec.json.encode(config))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(demo, arguments)


@pytest.mark.parametrize("deed", ["cut", "heal"])
def test_the_demo_of_this_folder_is_asked_on_its_own_ports(deed: str, asked: list[str], tmp_path: Path) -> None:
    note(tmp_path / ".demo")
    assert run(deed, "centro").exit_code == 0
    assert asked == [f"{OTHER.url(OTHER.start_page)}/api/wan/centro"]


def test_a_named_folder_counts(asked: list[str], tmp_path: Path) -> None:
    note(tmp_path / "second")
    assert run("--folder", "second", "cut", "centro").exit_code == 0
    assert asked == [f"{OTHER.url(OTHER.start_page)}/api/wan/centro"]


@pytest.mark.parametrize("before", [True, False])
def test_a_named_file_counts_more(asked: list[str], tmp_path: Path, before: bool) -> None:
    note(tmp_path / ".demo")
    third = msgspec.structs.replace(OTHER, start_page=9)
    (tmp_path / "my.toml").write_bytes(msgspec.toml.encode(third))
    named = ("--config", "my.toml")
    arguments = (*named, "cut", "centro") if before else ("cut", *named, "centro")
    assert run(*arguments).exit_code == 0
    assert asked == [f"{third.url(9)}/api/wan/centro"]


@pytest.mark.parametrize("noted", [None, b"{}"])
def test_without_a_note_the_usual_ports_are_asked(asked: list[str], tmp_path: Path, noted: bytes | None) -> None:
    if noted is not None:
        (tmp_path / ".demo").mkdir()
        Places(tmp_path / ".demo").config.write_bytes(noted)
    assert run("cut", "centro").exit_code == 0
    usual = read_config()
    assert asked == [f"{usual.url(usual.start_page)}/api/wan/centro"]
