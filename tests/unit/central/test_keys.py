"""Central's key files."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from central.keys import ACTIVATION, API, BOOKING_TOKEN, LINKS, PERSON, load_keys
from central.settings import Keys
from provisioning.settings import SettingsError

FILES = (ACTIVATION, API, BOOKING_TOKEN, LINKS, PERSON)


def test_missing_keys_are_made_once_for_their_owner_only(tmp_path: Path) -> None:
    settings = Keys(folder=tmp_path / "keys", create_missing=True)
    first = load_keys(settings)
    second = load_keys(settings)

    assert (first.person, first.links, first.api, first.kid) == (second.person, second.links, second.api, second.kid)
    assert len({first.person, first.links, bytes.fromhex(first.api)}) == 3
    assert sorted(path.name for path in settings.folder.iterdir()) == sorted(FILES)
    assert {stat.S_IMODE(path.stat().st_mode) for path in settings.folder.iterdir()} == {0o600}
    Ed25519PublicKey.from_public_bytes(first.public_key).verify(first.sign(b"data"), b"data")
    assert first.api not in repr(first)


@pytest.mark.parametrize("missing", FILES)
def test_a_missing_key_is_named(tmp_path: Path, missing: str) -> None:
    load_keys(Keys(folder=tmp_path, create_missing=True))
    (tmp_path / missing).unlink()
    with pytest.raises(SettingsError, match=missing):
        load_keys(Keys(folder=tmp_path))


@pytest.mark.parametrize("name", [ACTIVATION, BOOKING_TOKEN])
@pytest.mark.parametrize("content", ["not a key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_broken_signing_key_is_named(tmp_path: Path, content: str, name: str) -> None:
    load_keys(Keys(folder=tmp_path, create_missing=True))
    (tmp_path / name).write_text(content)
    with pytest.raises(SettingsError, match=name):
        load_keys(Keys(folder=tmp_path))


@pytest.mark.parametrize("name", [PERSON, LINKS])
def test_a_broken_hash_key_is_named(tmp_path: Path, name: str) -> None:
    load_keys(Keys(folder=tmp_path, create_missing=True))
    (tmp_path / name).write_text("no hex")
    with pytest.raises(SettingsError, match=name):
        load_keys(Keys(folder=tmp_path))
