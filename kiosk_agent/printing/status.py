"""What the status bytes of an ESC/POS printer say. Pure.

Source: Epson ESC/POS command reference, DLE EOT n and GS r n.
"""

from __future__ import annotations

from typing import Final, Literal

PaperState = Literal["ok", "near_end", "no_paper", "offline"]

ASK_PRINTER: Final = b"\x10\x04\x01"
ASK_OFFLINE_CAUSE: Final = b"\x10\x04\x02"
ASK_PAPER: Final = b"\x10\x04\x04"
ASK_WHEN_DONE: Final = b"\x1dr\x01"
"""GS r 1 waits its turn in the print buffer: its answer proves that everything before it was taken."""

_OFFLINE_BIT: Final = 0x08
_NEAR_END_BITS: Final = 0x0C
_NO_PAPER_BITS: Final = 0x60
_STOPPED_BY_PAPER_BIT: Final = 0x20


def is_real_time(answer: int) -> bool:
    """Whether a byte answers DLE EOT: bits 1 and 4 are set, 0 and 7 are not."""
    return answer & 0x93 == 0x12


def is_queued(answer: int) -> bool:
    """Whether a byte answers GS r: bits 4 and 7 are not set."""
    return answer & 0x90 == 0x00


def paper(answer: int) -> PaperState:
    """What DLE EOT 4 says about the roll."""
    if answer & _NO_PAPER_BITS:
        return "no_paper"
    return "near_end" if answer & _NEAR_END_BITS else "ok"


def is_offline(answer: int) -> bool:
    """What DLE EOT 1 says: the printer takes no data (cover, error, paper)."""
    return bool(answer & _OFFLINE_BIT)


def combined(printer: int | None, roll: int | None) -> PaperState:
    """The state from both answers; a printer that answers nothing is off or away."""
    if printer is None or roll is None:
        return "offline"
    state = paper(roll)
    if state == "no_paper":
        return state
    return "offline" if is_offline(printer) else state
