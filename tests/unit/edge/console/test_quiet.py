"""The console makes no sound and opens nothing by itself: what happens is told in words (CON-20)."""

from __future__ import annotations

import re

from edge_node.console.frame import STATIC

SCRIPTS = {file.name: file.read_text(encoding="utf-8") for file in sorted(STATIC.glob("*.js"))}


def test_no_script_of_the_console_makes_a_sound() -> None:
    assert SCRIPTS
    for name, text in SCRIPTS.items():
        assert not re.search(r"\bAudio\b|AudioContext|speechSynthesis|vibrate|\balert\(|\bconfirm\(", text), name


def test_the_only_dialog_is_the_one_that_somebody_asks_for() -> None:
    opening = [name for name, text in SCRIPTS.items() if "showModal" in text]
    assert opening == ["palette.js"]
    assert "live" not in SCRIPTS["palette.js"], "news never open it"
