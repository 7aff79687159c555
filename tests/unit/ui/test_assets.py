"""Static files: addresses that change with the content, answers, and no way out of the folder."""

import gzip
from pathlib import Path

import pytest

from ui.assets import CHECK_AGAIN, FOR_A_DAY, FOR_EVER, StaticAssets


@pytest.fixture
def feature(tmp_path: Path) -> Path:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "screen.js").write_text("// screen\n" * 200)
    (tmp_path / "static" / "face.woff2").write_bytes(b"wOF2")
    (tmp_path / "secret.txt").write_text("key")
    return tmp_path / "static"


def test_an_address_holds_the_version_of_the_content(feature: Path) -> None:
    assets = StaticAssets({"kiosk": feature})
    before = assets.url("kiosk/screen.js")
    (feature / "screen.js").write_text("// another, longer screen\n" * 200)
    after = assets.url("kiosk/screen.js")
    assert before.startswith("/static/kiosk/screen.js?v=")
    assert before != after


def test_only_the_right_version_is_kept_for_ever(feature: Path) -> None:
    assets = StaticAssets({"kiosk": feature})
    version = assets.url("kiosk/screen.js").partition("?v=")[2]
    assert assets.reply("kiosk/screen.js", version=version).headers["cache-control"] == FOR_EVER
    assert assets.reply("kiosk/screen.js", version="old").headers["cache-control"] == CHECK_AGAIN
    assert assets.reply("kiosk/face.woff2").headers["cache-control"] == FOR_A_DAY


def test_text_is_packed_for_who_takes_it_and_known_files_are_not_sent_again(feature: Path) -> None:
    assets = StaticAssets({"kiosk": feature})
    plain = assets.reply("kiosk/screen.js")
    packed = assets.reply("kiosk/screen.js", accept_encoding="br, gzip")
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["etag"] != plain.headers["etag"]
    again = assets.reply("kiosk/screen.js", if_none_match=plain.headers["etag"])
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    "name",
    [
        "kiosk/../secret.txt",
        "../assets.py",
        "/../assets.py",
        "kiosk/../../secret.txt",
        "",
        "/",
        "kiosk",
        "css",
        "nothing.css",
        "css/\0",
    ],
)
def test_there_is_no_way_out_of_the_folder(feature: Path, name: str) -> None:
    assets = StaticAssets({"kiosk": feature})
    assert not assets.has(name)
    assert assets.reply(name).status == 404


def test_a_link_that_leads_outside_is_not_followed(feature: Path) -> None:
    (feature / "way-out.txt").symlink_to(feature.parent / "secret.txt")
    assert StaticAssets({"kiosk": feature}).reply("kiosk/way-out.txt").status == 404


def test_an_unknown_name_has_no_address() -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.css"):
        StaticAssets().url("nothing.css")


@pytest.mark.parametrize(
    "name, content_type",
    [
        ("css/tokens.css", "text/css; charset=utf-8"),
        ("js/live.js", "text/javascript; charset=utf-8"),
        ("mark.svg", "image/svg+xml"),
    ],
)
def test_shared_files_are_there_with_their_types(name: str, content_type: str) -> None:
    reply = StaticAssets().reply(name)
    assert reply.status == 200
    assert reply.headers["content-type"] == content_type
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_one_file_is_kept_once_whatever_it_is_called(feature: Path) -> None:
    assets = StaticAssets({"kiosk": feature})
    assert assets.find("kiosk//././screen.js") is assets.find("kiosk/screen.js")


def test_a_file_that_went_away_is_gone(feature: Path) -> None:
    assets = StaticAssets({"kiosk": feature})
    assert assets.has("kiosk/screen.js")
    (feature / "screen.js").unlink()
    assert not assets.has("kiosk/screen.js")
    assert assets.reply("kiosk/screen.js").status == 404
