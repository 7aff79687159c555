"""The emulated printer reads what python-escpos writes, and answers as the real ones do."""

import asyncio
import io
import itertools
from pathlib import Path
from typing import Any

import pytest
from escpos.printer import Dummy
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from kiosk_agent.emulators.decoder import Decoder, Paper
from kiosk_agent.emulators.escpos_codes import Chars, Command, CommandReader, Unknown
from kiosk_agent.emulators.paper import PrintedLine, PrintedPicture, PrintedQr, render
from kiosk_agent.emulators.printer import PrinterEmulator
from kiosk_agent.printing import status

ESC, GS = b"\x1b", b"\x1d"


def printed(write: Any) -> Decoder:
    """The decoder after what ``write`` did to a python-escpos printer, fed byte by byte."""
    dummy: Any = Dummy()
    write(dummy)
    dummy.cut()
    decoder = Decoder()
    for at in range(len(dummy.output)):
        decoder.feed(dummy.output[at : at + 1])
    return decoder


@pytest.mark.parametrize("page", ["CP858", "CP437", "CP1252", "CP850"])
def test_text_comes_back_in_its_code_page(page: str) -> None:
    def write(printer: Any) -> None:
        printer.charcode(page)
        printer.text("Año ¿qué? ü ç\n")

    (paper,) = printed(write).tickets
    assert paper.lines == ["Año ¿qué? ü ç"]
    assert [piece.code_page for piece in paper.pieces if isinstance(piece, PrintedLine)] == [page.lower()]


def test_styles_sizes_and_sides() -> None:
    def write(printer: Any) -> None:
        printer.set(align="center", bold=True, custom_size=True, width=8, height=3)
        printer.text("K12\n")
        printer.set(align="right", bold=False, normal_textsize=True)
        printer.text("fin\n")

    (paper,) = printed(write).tickets
    big, small = [piece for piece in paper.pieces if isinstance(piece, PrintedLine)]
    assert (big.text, big.scale, big.bold, big.align) == ("K12", (8, 3), True, "center")
    assert (small.text, small.scale, small.bold, small.align) == ("fin", (1, 1), False, "right")


def test_a_native_qr_code_keeps_its_text_size_and_level() -> None:
    (paper,) = printed(lambda printer: printer.qr("http://citas.example/t/ñ", ec=1, size=7, native=True)).tickets
    (code,) = [piece for piece in paper.pieces if isinstance(piece, PrintedQr)]
    assert (code.text, code.module_dots, code.level) == ("http://citas.example/t/ñ", 7, "M")


def test_a_picture_comes_back_bit_by_bit() -> None:
    image = Image.new("1", (64, 300), 1)
    ImageDraw.Draw(image).line((0, 0, 63, 299), fill=0, width=3)
    (paper,) = printed(lambda printer: printer.image(image, fragment_height=128)).tickets
    pictures = [piece for piece in paper.pieces if isinstance(piece, PrintedPicture)]
    assert (len(pictures), paper.raster_size) == (3, (64, 300))
    again = render(list(pictures), 64).convert("1")
    assert again.tobytes() == image.tobytes()


def test_a_cut_without_anything_is_no_ticket() -> None:
    assert printed(lambda _printer: None).tickets == []


@pytest.mark.parametrize(
    "paper, online, roll, state",
    [
        ("ok", 0x12, 0x12, "ok"),
        ("near_end", 0x12, 0x1E, "near_end"),
        ("out", 0x1A, 0x7E, "no_paper"),
        ("offline", 0x1A, 0x12, "offline"),
    ],
)
def test_status_bytes_are_those_of_the_reference(paper: Paper, online: int, roll: int, state: str) -> None:
    decoder = Decoder(paper)
    decoder.feed(status.ASK_PRINTER + status.ASK_PAPER)
    assert list(decoder.answers) == [online, roll]
    assert all(status.is_real_time(answer) for answer in decoder.answers)
    assert status.combined(online, roll) == state


def test_no_answer_is_offline() -> None:
    assert status.combined(None, None) == "offline"
    assert status.combined(0x12, None) == "offline"


def test_a_printer_without_paper_keeps_its_buffer_and_goes_on_later() -> None:
    decoder = Decoder("out")
    decoder.feed(b"hola\n" + status.ASK_WHEN_DONE + GS + b"V\x00" + status.ASK_PAPER)
    assert (decoder.tickets, bytes(decoder.answers)) == ([], b"\x7e")
    decoder.set_paper("ok")
    assert (decoder.tickets[0].lines, bytes(decoder.answers)) == (["hola"], b"\x7e\x00")


def test_paper_that_ends_after_some_lines() -> None:
    decoder = Decoder()
    decoder.set_paper("out", after_lines=2)
    decoder.feed(b"uno\ndos\ntres\n" + GS + b"V\x00")
    assert (decoder.paper, decoder.tickets, decoder.idle) == ("out", [], False)


def test_what_is_no_command_is_counted_and_skipped() -> None:
    decoder = Decoder()
    decoder.feed(ESC + b"\x99" + b"hola\n" + GS + b"V\x00")
    assert (decoder.unknown, decoder.tickets[0].lines) == (1, ["hola"])


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=6))
def test_any_bytes_in_any_pieces_give_the_same_commands(data: bytes, cuts: list[int]) -> None:
    def known(tokens: list[Any]) -> list[Any]:
        """Text may be cut anywhere: compare it joined."""
        joined: list[Any] = []
        for token in tokens:
            if isinstance(token, Chars) and joined and isinstance(joined[-1], Chars):
                joined[-1] = Chars(joined[-1].data + token.data)
            else:
                joined.append(token)
        return joined

    whole, pieces = CommandReader(), CommandReader()
    places = sorted({0, *(cut for cut in cuts if cut < len(data)), len(data)})
    in_pieces = [token for a, b in itertools.pairwise(places) for token in pieces.feed(data[a:b])]
    assert known(in_pieces) == known(whole.feed(data))


@given(st.binary(max_size=300))
def test_no_bytes_break_the_printer(data: bytes) -> None:
    decoder = Decoder()
    decoder.feed(data + b"\x00" * 600 + b"\n" + GS + b"V\x00")
    for ticket in decoder.tickets:
        assert ticket.length_dots >= 0


def test_tokens_of_a_command_in_two_pieces() -> None:
    reader = CommandReader()
    assert reader.feed(ESC) == []
    assert reader.feed(b"a\x01x") == [Command(ESC + b"a", b"\x01"), Chars(b"x")]
    assert reader.feed(ESC + b"\x98") == [Unknown(ESC + b"\x98")]


async def test_tickets_are_kept_in_the_folder_and_counted_on(tmp_path: Path) -> None:
    for number in (1, 2):
        async with PrinterEmulator(tmp_path) as printer:
            printer.feed(f"turno {number}\n".encode() + GS + b"V\x00")
            record = await printer.ticket(number, timeout_s=1)
            assert (record.n, record.lines) == (number, (f"turno {number}",))
            assert [ticket.n for ticket in printer.tickets] == list(range(1, number + 1))
            for known in range(1, number + 1):
                assert Image.open(io.BytesIO(printer.picture(known))).width == 576
            with pytest.raises(IndexError):
                printer.picture(number + 1)
    files = await asyncio.to_thread(lambda: sorted(file.name for file in tmp_path.iterdir()))
    assert files == ["1.json", "1.png", "2.json", "2.png"]


async def test_a_poll_of_the_status_is_not_the_beginning_of_a_ticket(tmp_path: Path) -> None:
    async with PrinterEmulator() as printer:
        printer.feed(status.ASK_PRINTER + status.ASK_PAPER)
        printer.feed(b"x\n" + GS + b"V\x00")
        record = await printer.ticket(1, timeout_s=1)
    assert record.bytes_count == 5
