from __future__ import annotations

from pathlib import Path

import pytest

from central.settings import Settings
from provisioning.settings import SettingsError, load


def read(tmp_path: Path, proxies: str) -> Settings:
    file = tmp_path / "central.toml"
    file.write_text(f"[http]\ntrusted_proxies = {proxies}\n", "utf-8")
    return load(Settings, file, {})


def test_proxies_are_addresses_and_networks(tmp_path: Path) -> None:
    assert read(tmp_path, '["10.0.0.5", "fd00::/8"]').http.trusted_proxies == ("10.0.0.5", "fd00::/8")
    assert Settings().http.trusted_proxies == ()


@pytest.mark.parametrize("proxy", ["*", "proxy.example", "10.0.0.5/8", ""])
def test_what_is_no_network_is_named(tmp_path: Path, proxy: str) -> None:
    with pytest.raises(SettingsError, match=r"central\.toml: http.*IPv|central\.toml: http.*host bits"):
        read(tmp_path, f'["{proxy}"]')
