"""Settings: TOML, environment over it, and errors that say where to look."""

import ssl
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from provisioning.settings import SettingsError, certificates_in, config_path, load, read_secret


class Http(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    host: str = "127.0.0.1"
    port: int = 8010
    workers_s: float = 1.5
    trusted: list[str] = []


class Store(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    path: Path = Path("edge.db")
    sync: bool = True


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    http: Http = Http()
    store: Store = Store()


def written(folder: Path, text: str) -> Path:
    path = folder / "edge.toml"
    path.write_text(text, "utf-8")
    return path


def test_defaults_without_file_and_environment() -> None:
    assert load(Settings, None, {}) == Settings()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    config = written(tmp_path, '[http]\nport = 8021\nhost = "::1"\n[store]\npath = "/var/lib/edge.db"\n')
    env = {
        "VENTANILLA_HTTP__PORT": "9000",
        "VENTANILLA_HTTP__WORKERS_S": "0.25",
        "VENTANILLA_HTTP__TRUSTED": '["10.0.0.0/8", "::1"]',
        "VENTANILLA_STORE__SYNC": "false",
        "VENTANILLA_CONFIG": "ignored",
        "HOME": "/root",
    }
    assert load(Settings, config, env) == Settings(
        http=Http(host="::1", port=9000, workers_s=0.25, trusted=["10.0.0.0/8", "::1"]),
        store=Store(path=Path("/var/lib/edge.db"), sync=False),
    )


@pytest.mark.parametrize(
    "text,env,source,key",
    [
        ("[http]\nprot = 1\n", {}, "edge.toml", "http.prot"),
        ("[htpp]\nport = 1\n", {}, "edge.toml", "htpp"),
        ('[http]\nport = "many"\n', {}, "edge.toml", "http.port"),
        ("[http\n", {}, "edge.toml", ""),
        ("", {"VENTANILLA_HTTP__PROT": "1"}, "VENTANILLA_HTTP__PROT", "http.prot"),
        ("", {"VENTANILLA_HTTP__PORT": "many"}, "VENTANILLA_HTTP__PORT", "http.port"),
        ("", {"VENTANILLA_HTTP__TRUSTED": '["a"'}, "VENTANILLA_HTTP__TRUSTED", "http.trusted"),
        ("", {"VENTANILLA_HTTP__TRUSTED": "[1]"}, "VENTANILLA_HTTP__TRUSTED", "http.trusted[0]"),
        ("http = 1\n", {"VENTANILLA_HTTP__PORT": "1"}, "VENTANILLA_HTTP__PORT", "http.port"),
    ],
)
def test_an_error_names_the_key_and_where_it_stands(
    tmp_path: Path, text: str, env: Mapping[str, str], source: str, key: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(Settings, written(tmp_path, text), env)
    assert (Path(caught.value.source).name, caught.value.key) == (source, key)
    assert source in str(caught.value)
    assert key in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml: cannot be read: No such file"):
        load(Settings, tmp_path / "none.toml", {})


def test_the_option_wins_over_the_variable_for_the_file() -> None:
    env = {"VENTANILLA_CONFIG": "/etc/ventanilla/edge.toml"}
    assert config_path(Path("mine.toml"), env) == Path("mine.toml")
    assert config_path(None, env) == Path("/etc/ventanilla/edge.toml")
    assert config_path(None, {}) is None


def test_a_secret_is_read_without_its_line_end(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("s3cret\n", "utf-8")
    assert read_secret(path) == "s3cret"
    path.write_text("\n", "utf-8")
    with pytest.raises(SettingsError, match="empty"):
        read_secret(path)
    with pytest.raises(SettingsError, match="cannot read the secret"):
        read_secret(tmp_path / "none")


@pytest.mark.parametrize("content", [None, "", "no certificate", "a folder"])
def test_certificates_that_cannot_be_read_name_their_setting_and_what_to_do(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "ca.pem"
    if content == "a folder":
        path.mkdir()
    elif content is not None:
        path.write_text(content, "utf-8")
    with pytest.raises(
        SettingsError, match=r"ca\.pem: .+\. Name a file of PEM certificates .+ or leave it out"
    ) as raised:
        certificates_in(path, "central.ca_file")
    assert raised.value.key == "central.ca_file"
    assert "None" not in raised.value.problem


def test_without_a_file_the_systems_certificates_are_trusted() -> None:
    assert certificates_in(None, "central.ca_file").verify_mode == ssl.CERT_REQUIRED
