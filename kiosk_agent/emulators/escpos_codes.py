"""Cut a stream of ESC/POS bytes into commands. Pure and incremental: a command may come in pieces.

Covered: text, control characters, the commands of ESC, FS, GS and DLE with the lengths below, and the long ones of GS.
An unknown two-byte command is skipped and counted, as a printer would ignore it.

Source: Epson ESC/POS command reference.
"""

from __future__ import annotations

from typing import Final

import msgspec

DLE, EOT, ENQ, DC4, ESC, FS, GS = 0x10, 0x04, 0x05, 0x14, 0x1B, 0x1C, 0x1D

# Parameter bytes that follow a two-byte command.
_ESC_PARAMETERS: Final = {
    **dict.fromkeys(b"@2<", 0),
    **dict.fromkeys(b"!3E-GJadtM{VRcr SU", 1),
    **dict.fromkeys(b"$\\=", 2),
    **dict.fromkeys(b"p", 3),
}
_GS_PARAMETERS: Final = {**dict.fromkeys(b"!BbHhwfrIa", 1), **dict.fromkeys(b"LWP", 2)}
_FS_PARAMETERS: Final = {**dict.fromkeys(b".&", 0), **dict.fromkeys(b"!C-", 1)}
_DLE_PARAMETERS: Final = {EOT: 1, ENQ: 1, DC4: 3}
_FAMILIES: Final = {ESC: _ESC_PARAMETERS, GS: _GS_PARAMETERS, FS: _FS_PARAMETERS, DLE: _DLE_PARAMETERS}


class Command(msgspec.Struct, frozen=True):
    """One command: ``name`` is its lead bytes (ESC a, or one control character), ``data`` its parameters."""

    name: bytes
    data: bytes = b""


class Chars(msgspec.Struct, frozen=True):
    """Printable bytes, in whatever code page is selected."""

    data: bytes


class Unknown(msgspec.Struct, frozen=True):
    """Bytes that begin no command this printer knows."""

    data: bytes


Token = Command | Chars | Unknown


class CommandReader:
    """The bytes that have come and are not yet a whole command."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, data: bytes) -> list[Token]:
        """The commands that ``data`` completes."""
        self._waiting += data
        tokens: list[Token] = []
        while self._waiting:
            read = _first(bytes(self._waiting))
            if read is None:
                break
            token, length = read
            del self._waiting[:length]
            tokens.append(token)
        return tokens


def _first(data: bytes) -> tuple[Token, int] | None:
    """The first token and its length; none while it is incomplete."""
    if data[0] in _FAMILIES:
        return _command(data)
    if data[0] < 0x20:
        return Command(data[:1]), 1
    end = next((at for at, byte in enumerate(data) if byte < 0x20), len(data))
    return Chars(data[:end]), end


def _command(data: bytes) -> tuple[Token, int] | None:
    if len(data) < 2:
        return None
    name = data[:2]
    if data[0] == GS and data[1] in b"(vV":
        return _long_gs(data)
    parameters = _FAMILIES[data[0]].get(data[1])
    if parameters is None:
        return Unknown(name), 2
    return _whole(name, data, 2, parameters)


def _long_gs(data: bytes) -> tuple[Token, int] | None:
    match data[1]:
        case 0x28:  # GS ( fn pL pH ...
            if len(data) < 5:
                return None
            return _whole(data[:3], data, 5, int.from_bytes(data[3:5], "little"))
        case 0x76:  # GS v 0 m xL xH yL yH ...
            if len(data) < 8:
                return None
            size = int.from_bytes(data[4:6], "little") * int.from_bytes(data[6:8], "little")
            return _whole(data[:3], data, 3, 5 + size)
        case _:  # GS V m [n]
            if len(data) < 3:
                return None
            return _whole(data[:2], data, 2, 2 if data[2] in (65, 66, 97, 98, 103, 104) else 1)


def _whole(name: bytes, data: bytes, start: int, length: int) -> tuple[Token, int] | None:
    end = start + length
    return (Command(name, data[start:end]), end) if len(data) >= end else None
