"""Where all mail of the demo ends: an SMTP server that keeps what it is given, in memory and as files.

No mail ever leaves the machine.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import msgspec
from aiosmtpd.smtp import SMTP, Envelope, Session

KEPT = 200
MAX_BYTES = 2 * 1024 * 1024
_TOKEN = re.compile(r"V1\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_LOCATOR = re.compile(r"\b[ACDEFGHJKMNPQRTUVWXY34679]{3}-[ACDEFGHJKMNPQRTUVWXY34679]{3}\b")


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A caught mail, newest number last.

    Args:
        token: the booking token its QR holds; empty when there is none.
        locator: the first locator in its text.
    """

    number: int
    caught_at: datetime
    to: str
    subject: str
    text: str
    html: str
    token: str
    locator: str
    attachments: tuple[str, ...]

    @property
    def scanned(self) -> str:
        """What a scanner may read of it; empty when there is nothing."""
        return self.token or self.locator


class Mailbox:
    """The server and the mails it has."""

    def __init__(self, host: str, port: int, folder: Path) -> None:
        self.mails: list[Mail] = []
        self._folder = folder
        self._place = (host, port)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Take mail from now on; what earlier runs caught is there again."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(self._folder.glob("*.eml"))[-KEPT:]:
            self._keep(int(file.stem), datetime.fromtimestamp(file.stat().st_mtime, UTC), file.read_bytes())
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SMTP(self, data_size_limit=MAX_BYTES, loop=loop), *self._place)

    async def stop(self) -> None:
        """Stop taking mail."""
        if self._server is not None:
            self._server.close()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        number = self.mails[-1].number + 1 if self.mails else 1
        (self._folder / f"{number:06}.eml").write_bytes(content)
        self._keep(number, datetime.now(UTC), content)
        return "250 kept"

    def _keep(self, number: int, caught_at: datetime, content: bytes) -> None:
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append(read_mail(number, caught_at, message))
        del self.mails[:-KEPT]


def read_mail(number: int, caught_at: datetime, message: EmailMessage) -> Mail:
    """What the start page shows of a mail."""
    text, html = _body(message, "plain"), _body(message, "html")
    described = " ".join(str(part.get("Content-Description", "")) for part in message.walk())
    token = _TOKEN.search(described) or _TOKEN.search(text)
    locator = _LOCATOR.search(text) or _LOCATOR.search(str(message.get("Subject", "")))
    return Mail(
        number=number,
        caught_at=caught_at,
        to=str(message.get("To", "")),
        subject=str(message.get("Subject", "")),
        text=text,
        html=html,
        token=token.group() if token else "",
        locator=locator.group() if locator else "",
        attachments=tuple(part.get_filename() or "" for part in message.iter_attachments()),
    )


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""
