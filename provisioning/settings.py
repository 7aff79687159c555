"""One frozen struct of settings per process: TOML, then the environment over it, loaded once at the entry point.

    class Http(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        host: str = "127.0.0.1"
        port: int = 8010

    class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        http: Http = Http()

    settings = load(Settings, Path("central.toml"), os.environ)

`VENTANILLA_HTTP__PORT=8011` is `port` in `[http]`; deeper tables add further `__`. A value from the environment is text and
is converted to the field's type (`true`, `8011`, `1.5`); lists and tables are written as TOML (`["a", "b"]`). Variables
with one word (`VENTANILLA_CONFIG`) are not settings. Relative paths count from the working directory. An unknown key is
an error that names it and where it stands.
"""

import re
import ssl
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

PREFIX: Final = "VENTANILLA_"
CONFIG_VARIABLE: Final = "VENTANILLA_CONFIG"

T = TypeVar("T")


class SettingsError(Exception):
    """A setting that cannot be used.

    Attributes:
        source: the file or environment variable it stands in.
        key: its dotted name, `http.port`; empty when the whole file is meant.
    """

    def __init__(self, source: str, key: str, problem: str) -> None:
        self.source = source
        self.key = key
        self.problem = problem
        super().__init__(f"{source}: {f'{key}: ' if key else ''}{problem}")


def config_path(option: Path | None, env: Mapping[str, str]) -> Path | None:
    """The file of settings: `--config` if given, else `VENTANILLA_CONFIG`, else none."""
    if option is not None:
        return option
    return Path(env[CONFIG_VARIABLE]) if env.get(CONFIG_VARIABLE) else None


def load(struct_type: type[T], config: Path | None, env: Mapping[str, str]) -> T:
    """Read the settings of a process.

    Args:
        struct_type: a frozen msgspec struct of sections, each a struct with `forbid_unknown_fields=True`.
        config: the TOML file, or none for defaults and environment only.
        env: the environment; only `VENTANILLA_{SECTION}__{KEY}` is read.

    Raises:
        SettingsError: unreadable file, unknown key or a value of the wrong type; names the key and its source.
    """
    values = _read(config) if config else {}
    origins: dict[str, str] = {}
    for variable, path in _overrides(env):
        origins[".".join(path)] = variable
        _place(values, path, env[variable], variable)
    try:
        return msgspec.convert(values, struct_type, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        key, problem = _explain(str(error))
        source = next((v for k, v in origins.items() if k == key or key.startswith((f"{k}.", f"{k}["))), None)
        raise SettingsError(source or (str(config) if config else "settings"), key, problem) from error


def read_secret(path: Path) -> str:
    """The content of a `*_file` setting without the line end.

    Raises:
        SettingsError: the file is missing, unreadable or empty.
    """
    try:
        secret = path.read_text("utf-8").strip()
    except OSError as error:
        raise SettingsError(str(path), "", f"cannot read the secret: {error.strerror}") from error
    if not secret:
        raise SettingsError(str(path), "", "the secret is empty")
    return secret


def certificates_in(ca_file: Path | None, key: str) -> ssl.SSLContext:
    """Whom to trust over TLS: who has a certificate of a `ca_file` setting; the system's where there is none.

    Args:
        key: the setting's dotted name.

    Raises:
        SettingsError: the file is missing or unreadable, or has no certificate.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # what OpenSSL says of a file without certificates is one, too
        why = "it has no certificate (PEM)" if isinstance(error, ssl.SSLError) else error.strerror
        problem = f"cannot read {ca_file}: {why}. Name a file of PEM certificates that this process may read, or leave it out: "
        raise SettingsError("settings", key, f"{problem}then the system's are trusted") from error


def _decode(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(kind)  # msgspec says then what it expected


def _read(config: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(config.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(str(config), "", f"cannot be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(str(config), "", f"is not TOML: {error}") from error


def _overrides(env: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    for variable in sorted(env):
        path = variable.removeprefix(PREFIX).lower().split("__")
        if variable.startswith(PREFIX) and len(path) > 1:
            yield variable, path


def _place(values: dict[str, Any], path: list[str], text: str, variable: str) -> None:
    table = values
    for name in path[:-1]:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise SettingsError(variable, ".".join(path), "goes into a value that is not a table")
    table[path[-1]] = _value(text, variable, ".".join(path))


def _value(text: str, variable: str, key: str) -> Any:
    if not text.lstrip().startswith(("[", "{")):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(variable, key, f"is not a TOML list or table: {error}") from error


def _explain(message: str) -> tuple[str, str]:
    """Split msgspec's "problem - at `$.a.b`" into ("a.b", "problem"); for an unknown field the key is that field."""
    problem, _, place = message.partition(" - at ")
    path = place.strip("`").removeprefix("$").lstrip(".")
    if unknown := re.search(r"unknown field `(.+)`", problem):
        return f"{path}.{unknown[1]}".lstrip("."), "unknown setting"
    return path, problem
