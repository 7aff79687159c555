"""The look's own rules over every sheet, template and script of every package."""

import re
from pathlib import Path

import pytest

from ui.assets import STATIC_DIRECTORY
from ui.headers import CONTENT_SECURITY_POLICY

ROOT = Path(__file__).parents[3]
PACKAGES = ("ui", "central", "edge_node", "kiosk_agent", "display_agent", "provisioning")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
# A side in physical terms: as a property (margin-left, left:), or as a value (text-align: right, float: left).
SIDE = re.compile(r"(?<![\w-])(?:[a-z-]+-)?(?:left|right)(?:-[a-z-]+)?\s*:|:\s*(?:left|right)\s*[;}]")
COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b(?!\s*\{)|\b(?:rgb|rgba|hsl|hsla|oklch|lab|lch|color)\(")
MAY_NAME_COLOURS = {"tokens.css", "ticket.css"}  # the roles; and paper, black or nothing


def files(ending: str) -> list[Path]:
    found = [path for package in PACKAGES for path in (ROOT / package).rglob(f"*{ending}")]
    return [path for path in found if "vendor" not in path.parts]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("sheet", files(".css"), ids=name)
def test_sheets_set_no_physical_side(sheet: Path) -> None:
    assert SIDE.findall(COMMENT.sub("", sheet.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("sheet", files(".css"), ids=name)
def test_colours_are_roles_and_stand_in_the_tokens(sheet: Path) -> None:
    text = COMMENT.sub("", sheet.read_text(encoding="utf-8"))
    assert sheet.name in MAY_NAME_COLOURS or COLOUR.findall(text) == []


@pytest.mark.parametrize("sheet", files(".css"), ids=name)
def test_sheets_ask_no_one_else(sheet: Path) -> None:
    addresses = re.findall(r"url\(([^)]*)\)", sheet.read_text(encoding="utf-8"))
    assert all(address.strip("\"'").startswith("/static/") for address in addresses)
    assert "@import" not in sheet.read_text(encoding="utf-8")


def test_every_role_that_a_sheet_uses_is_defined() -> None:
    sheets = "".join(COMMENT.sub("", path.read_text(encoding="utf-8")) for path in files(".css"))
    defined = set(re.findall(r"(--[a-z0-9-]+)\s*:", sheets))
    used = set(re.findall(r"var\((--[a-z0-9-]+)\s*\)", sheets))
    assert used - defined == set()


@pytest.mark.parametrize("template", files(".html"), ids=name)
def test_templates_hold_no_style_and_no_inline_script(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert "<style" not in text
    assert "javascript:" not in text
    assert not re.search(r"(?:src|href|action)=[\"'](?:https?:)?//", text)
    assert "| safe" not in text


@pytest.mark.parametrize("script", files(".js"), ids=name)
def test_scripts_make_no_code_of_text(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert not re.search(r"\beval\(|new Function\(|document\.write|insertAdjacentHTML|outerHTML\s*=", text)
    assert not re.search(r"\.style\b|setAttribute\(\s*[\"']style", text), "state goes into attributes"


@pytest.mark.parametrize(
    "planted", ["a{margin-left:1px}", "a{left: 0}", "a{text-align: right;}", "a{border-right-width:1px}"]
)
def test_the_search_for_sides_finds_them(planted: str) -> None:
    assert SIDE.search(planted)


def test_the_policy_allows_nothing_inline_and_nobody_else() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY


def test_own_scripts_stay_small() -> None:
    assert sum(path.stat().st_size for path in (STATIC_DIRECTORY / "js").glob("*.js")) < 15_000
