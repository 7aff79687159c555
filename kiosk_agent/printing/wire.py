"""One open line to a printer, serial or network, by python-escpos. Blocking: used from the printer's own thread.

The line is opened for each ticket and each question: network printers serve one caller at a time, and a serial adapter that
was pulled out and put back is simply there again.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import serial
from escpos.printer import Network, Serial

from kiosk_agent.printing import status
from kiosk_agent.settings import Printer

ANSWER_POLL_S: Final = 0.5


class PrinterSilentError(OSError):
    """The printer does not answer."""


class Wire:
    """An open line.

    Args:
        send: writes bytes, blocking until the line has them.
        receive: gives the next byte, or none after a number of seconds.
    """

    def __init__(self, send: Callable[[bytes], None], receive: Callable[[float], int | None], timeout_s: float) -> None:
        self.send = send
        self._receive = receive
        self._timeout_s = timeout_s

    def state(self) -> status.PaperState:
        """Ask for the printer's state, now (DLE EOT is answered even by a printer that is busy or stopped)."""
        printer = self.ask(status.ASK_PRINTER)
        return status.combined(printer, None if printer is None else self.ask(status.ASK_PAPER))

    def ask(self, question: bytes) -> int | None:
        """The byte that answers a real-time question."""
        self.send(question)
        return self._answer(status.is_real_time, self._timeout_s)

    def wait_taken(self, timeout_s: float) -> status.PaperState:
        """Wait until the printer has worked through everything that was sent; a stop on the way ends the wait.

        Raises:
            PrinterSilentError: neither done nor stopped in ``timeout_s``.
        """
        self.send(status.ASK_WHEN_DONE)
        ends = time.monotonic() + timeout_s
        while time.monotonic() < ends:
            if self._answer(status.is_queued, ANSWER_POLL_S) is not None:
                return self.state()
            state = self.state()
            if state in {"no_paper", "offline"}:
                return state
        raise PrinterSilentError("the printer did not finish in time")

    def _answer(self, wanted: Callable[[int], bool], timeout_s: float) -> int | None:
        ends = time.monotonic() + timeout_s
        while (left := ends - time.monotonic()) > 0:
            byte = self._receive(left)
            if byte is not None and wanted(byte):
                return byte
        return None


@contextlib.contextmanager
def opened(settings: Printer) -> Iterator[Wire]:
    """Open the line that the settings name.

    Raises:
        OSError: it cannot be opened, or was lost (pyserial's error is one too).
    """
    printer: Any = _serial(settings) if settings.kind == "serial" else _network(settings)
    printer.open()
    try:
        if settings.kind == "serial":
            printer.device.write_timeout = settings.print_timeout_s
            yield Wire(_serial_send(printer.device), _serial_receive(printer.device), settings.timeout_s)
        else:
            yield Wire(printer.device.sendall, _network_receive(printer.device), settings.timeout_s)
    finally:
        with contextlib.suppress(OSError):
            printer.close()


def _serial(settings: Printer) -> Serial:
    line = _Serial(
        devfile=settings.path,
        baudrate=settings.baud,
        timeout=settings.timeout_s,
        xonxoff=settings.flow == "xonxoff",
        dsrdtr=settings.flow == "dsrdtr",
        profile=settings.profile,
    )
    line.rtscts = settings.flow == "rtscts"
    return line


class _Network(Network):  # type: ignore[misc] # python-escpos has no types
    """python-escpos leaves the socket of a refused connection open, and writes a line on the root log at each opening and
    closing; this one does neither, and knows IPv6.
    """

    _device: Any

    def open(self, raise_not_found: bool = True) -> None:  # noqa: ARG002 - the shape of Escpos.open
        self.device = socket.create_connection((self.host, self.port), self.timeout)

    def close(self) -> None:
        if self._device:
            with contextlib.suppress(OSError):
                self._device.shutdown(socket.SHUT_RDWR)  # what was sent shall still arrive
            self._device.close()
            self._device = False


class _Serial(Serial):  # type: ignore[misc] # as above
    """Opens and closes without a word on the root log: the printer is asked how it is every few seconds."""

    _device: Any

    def open(self, raise_not_found: bool = True) -> None:  # noqa: ARG002 - the shape of Escpos.open
        self.device = serial.Serial(
            self.devfile,
            self.baudrate,
            timeout=self.timeout,
            xonxoff=self.xonxoff,
            rtscts=self.rtscts,
            dsrdtr=self.dsrdtr,
        )

    def close(self) -> None:
        if self._device:
            self._device.close()
            self._device = False


def _network(settings: Printer) -> Network:
    return _Network(settings.host, settings.port, timeout=settings.timeout_s, profile=settings.profile)


def _serial_send(device: serial.Serial) -> Callable[[bytes], None]:
    def send(data: bytes) -> None:
        device.write(data)
        device.flush()

    return send


def _serial_receive(device: serial.Serial) -> Callable[[float], int | None]:
    def receive(timeout_s: float) -> int | None:
        device.timeout = timeout_s
        data = device.read(1)
        return data[0] if data else None

    return receive


def _network_receive(device: Any) -> Callable[[float], int | None]:
    def receive(timeout_s: float) -> int | None:
        device.settimeout(timeout_s)
        try:
            data = device.recv(1)
        except TimeoutError:
            return None
        if not data:
            raise PrinterSilentError("the printer closed the connection")
        return int(data[0])

    return receive
