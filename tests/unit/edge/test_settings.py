"""What ``edge.toml`` may say."""

from pathlib import Path

import pytest

from edge_node.settings import read_settings
from provisioning.settings import SettingsError

GOOD = '[office]\nid = "centro"\nnode = "centro-1"\n[data]\nfolder = "/tmp/edge"\n'


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "edge.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_an_office_and_a_folder_are_enough(tmp_path: Path) -> None:
    settings = read_settings(written(tmp_path, GOOD))
    assert settings.database_file == Path("/tmp/edge/edge.db")
    assert settings.office.time_zone == "Africa/Ceuta"
    assert settings.production


@pytest.mark.parametrize(
    "more, key",
    [
        ("[clock]\nrate = 60.0\n", "clock.rate"),
        ('[clock]\nahead_file = "ahead"\n', "clock.ahead_file"),
        ('[http]\nhots = "x"\n', "http.hots"),
        ("[http]\nport = 70000\n", "http.port"),
        ('[[devices]]\nid = "k"\nkind = "oven"\n', "devices[0].kind"),
        ('[[devices]]\nid = "k"\nkind = "kiosk"\n[[devices]]\nid = "k"\nkind = "display"\n', "devices"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, more: str, key: str) -> None:
    with pytest.raises(SettingsError) as error:
        read_settings(written(tmp_path, GOOD + more))
    assert error.value.key.replace("[...]", "[0]") == key


def test_an_unknown_zone_is_named(tmp_path: Path) -> None:
    text = GOOD.replace('node = "centro-1"', 'node = "centro-1"\ntime_zone = "Africa/Melilla"')
    with pytest.raises(SettingsError, match="no such time zone"):
        read_settings(written(tmp_path, text))


def test_a_test_may_run_the_clock_faster(tmp_path: Path) -> None:
    settings = read_settings(written(tmp_path, f"production = false\n{GOOD}[clock]\nrate = 60.0\n"))
    assert settings.clock.rate == 60
