"""Which key does what, for one person. Pure.

A verb is named by its usual key: templates say ``data-key="F8"``, whatever somebody presses for it. A key is a function key,
alone or with Shift, or a letter with Alt or Ctrl: never a bare letter, which somebody who dictates or has a tremor sets off
by accident (WCAG 2.1.4), and none that browsers keep for themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

USUAL: Final = {
    "F8": "call_next",
    "F2": "start",
    "F9": "recall",
    "F10": "no_show",
    "F7": "finish",
    "F6": "give",
    "F4": "undo",
    "Alt+P": "pause",
    "Alt+C": "close",
    "Alt+A": "support",
    "Ctrl+K": "palette",
    "Alt+L": "lock",
}
"""What a usual key does, in the order in which the settings show them."""

_FUNCTION: Final = tuple(f"F{n}" for n in (1, 2, 3, 4, 6, 7, 8, 9, 10))  # F5, F11 and F12 are the browser's
_WITH_ALT: Final = "ABCGHIJKLMNOPQRSTUVWXYZ"  # D, E and F open the browser's address bar and menus
_WITH_CTRL: Final = "BGIKM"  # the others copy, print, close windows
ALLOWED: Final = (
    *_FUNCTION,
    *(f"Shift+{key}" for key in _FUNCTION),
    *(f"Alt+{letter}" for letter in _WITH_ALT),
    *(f"Ctrl+{letter}" for letter in _WITH_CTRL),
)


class KeysRefused(msgspec.Struct, frozen=True):
    """Why keys were not taken over: one that cannot be, or one for two things."""

    why: Literal["not_allowed", "twice"]
    key: str
    usual: str
    other: str = ""


def bindings(own: Mapping[str, str]) -> dict[str, str]:
    """The key of every verb for somebody, by its usual key; what no longer exists or may not be is left at the usual one.

    A new verb may have a usual key that somebody has given to another one: that one goes back to its own usual key, and the rest
    stays as it was chosen.
    """
    kept = {usual: own[usual] for usual in USUAL if own.get(usual) in ALLOWED}
    while True:
        keys = {usual: kept.get(usual, usual) for usual in USUAL}
        twice = {key for key in keys.values() if sum(key == each for each in keys.values()) > 1}
        clashing = [usual for usual in kept if kept[usual] in twice]
        if not clashing:
            return keys
        for usual in clashing:
            del kept[usual]


def told(keys: Mapping[str, str]) -> dict[str, str]:
    """A person's keys as sentences name them: ``key_call_next`` for the key that calls the next one."""
    return {f"key_{USUAL[usual]}": key for usual, key in keys.items()}


def chosen(wanted: Mapping[str, str]) -> dict[str, str] | KeysRefused:
    """What to keep of what somebody wants, by usual key: only what differs.

    Args:
        wanted: a key for each usual one; those not named stay.
    """
    keys = {usual: wanted.get(usual, usual) for usual in USUAL}
    by_key: dict[str, str] = {}
    for usual, key in keys.items():
        if key not in ALLOWED:
            return KeysRefused("not_allowed", key, usual)
        if key in by_key:
            return KeysRefused("twice", key, by_key[key], usual)
        by_key[key] = usual
    return {usual: key for usual, key in keys.items() if key != usual}
