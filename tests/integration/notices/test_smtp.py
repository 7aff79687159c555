"""What an SMTP server's refusal is about: this mail, or us."""

from __future__ import annotations

import asyncio
from email.message import EmailMessage

import pytest

from central.notices.smtp import Postponed, Sender
from central.settings import Mail


async def test_a_server_that_lets_nobody_in_says_nothing_about_the_mail() -> None:
    gone = asyncio.Event()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"554 no service here\r\n")
        await reader.read()
        writer.close()
        await writer.wait_closed()
        gone.set()

    message = EmailMessage()
    message["From"], message["To"] = "citas@ventanilla.example", "fatima@example.org"
    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Postponed, match="554"):
            await Sender(Mail(host="127.0.0.1", port=port, timeout_s=3))(message)
        await gone.wait()
