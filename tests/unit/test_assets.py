"""Front-end parts: what is out of date, what is copied, what is refused."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from provisioning.assets import Asset, AssetsError, copy, load_manifest, missing_in_wheel, outdated

CONTENT = b"htmx"
ASSET = Asset(source="htmx/htmx.js", target="js/htmx.js", sha256=hashlib.sha256(CONTENT).hexdigest())


def modules_with(folder: Path, content: bytes) -> Path:
    source = folder / ASSET.source
    source.parent.mkdir(parents=True)
    source.write_bytes(content)
    return folder


def test_a_missing_file_is_copied_and_then_up_to_date(tmp_path: Path) -> None:
    vendor = tmp_path / "vendor"
    assert outdated([ASSET], vendor) == [ASSET]
    copy([ASSET], modules_with(tmp_path / "modules", CONTENT), vendor)
    assert (vendor / "js/htmx.js").read_bytes() == CONTENT
    assert outdated([ASSET], vendor) == []
    (vendor / "js/htmx.js").write_bytes(b"other")
    assert outdated([ASSET], vendor) == [ASSET]


def test_other_bytes_than_the_lock_says_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AssetsError, match=r"htmx/htmx\.js"):
        copy([ASSET], modules_with(tmp_path / "modules", b"planted"), tmp_path / "vendor")
    assert not (tmp_path / "vendor").exists()


def test_a_wheel_without_a_file_is_found_out(tmp_path: Path) -> None:
    wheel = tmp_path / "v.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("ui/static/vendor/js/htmx.js", CONTENT)
    other = Asset(source="a", target="fonts/a.ttf", sha256="0" * 64)
    assert missing_in_wheel([ASSET, other], wheel) == [other]


def test_every_named_file_is_locked_once() -> None:
    assets = load_manifest()
    assert len({asset.target for asset in assets}) == len(assets) > 10
    assert {len(asset.sha256) for asset in assets} == {64}
