"""What is no code at all on the scanner's line: nothing of it reaches the edge, and the next code is read as if it were the first."""

from __future__ import annotations

import time
from typing import NamedTuple

import pytest

from tests.integration.bad_input.office import Office

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(120)]

HOME = {"es": "¿Tiene cita?", "ar": "هل لديك موعد؟"}
UNREAD = {"es": "No hemos podido leer el código", "ar": "تعذّرت قراءة الرمز"}


class Noise(NamedTuple):
    """Bytes on the line, and how long it is quiet after them."""

    data: bytes
    quiet_s: float = 0.5


NOISE = {
    "bytes that are no letters": Noise(bytes(range(0x80, 0x100)) + b"\r\n"),
    "nothing but line ends": Noise(b"\r\n\n\r\r\n"),
    "spaces": Noise(b"     \r\n"),
    "a terminal's escapes": Noise(b"\x1b[2J\x1b[H\x07\r\n"),
    "letters of another alphabet": Noise("ñandú كود\r\n".encode()),
    "zeros": Noise(bytes(500) + b"\r\n"),
    "a line without measure": Noise(b"V1." + b"A" * 2000 + b"\r\n"),
    "half a code, and then silence": Noise(b"V1.AAAA", 2.6),
}


@pytest.mark.parametrize("noise", [pytest.param(noise, id=name) for name, noise in NOISE.items()])
def test_noise(office: Office, noise: Noise) -> None:
    language = "ar" if noise.data.isascii() else "es"
    office.kiosk.begin(language)
    evidence = office.evidence()
    office.scanner.send(noise.data)
    time.sleep(noise.quiet_s)
    office.kiosk.shows(HOME[language])
    office.scanner.scan("https://example.com/")
    office.kiosk.shows(UNREAD[language])
    evidence.becomes((), {"malformed": 1})  # the code behind the noise, and nothing else


def test_a_reader_that_was_unplugged_reads_again(office: Office) -> None:
    office.kiosk.begin("es")
    evidence = office.evidence()
    office.scanner.unplug()
    office.kiosk.shows("Escriba su código")
    office.scanner.plug()
    office.kiosk.shows("Acerque")
    office.scanner.scan("https://example.com/")
    office.kiosk.shows(UNREAD["es"])
    evidence.becomes((), {"malformed": 1})
