"""Takes queued mails to the SMTP server, each at most once.

    queued ─ take ─▶ sending ─ accepted ─▶ sent
      ▲                 ├─ certainly not taken this time ─▶ queued, later
      └─────────────────┘
                        ├─ refused for good, or too many tries ─▶ failed
                        └─ the answer never came ─▶ unsure (not sent again by itself: it may have arrived)

`sending` is committed before the first byte goes out, so a crash can lose the knowledge of a sent mail, never send it twice.
The Message-ID is made from the row's id: a server that sees one mail twice can know it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from typing import Any

import asyncpg
import msgspec
import structlog
from prometheus_client import Counter

from central.context import Central
from central.notices.letters import Letter
from central.notices.smtp import Postponed, Refused, Sender, Unsure
from sync.io.sql import load

log = structlog.get_logger(__name__)

queries = load("central.notices", "outbox.sql")

IDLE_S = 1.0
AT_ONCE = 20
BACKOFF_FIRST_S = 10
BACKOFF_MAX_S = 6 * 3600

_MAILS = Counter("ventanilla_mails_total", "Mails by how they ended", ["end"])


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A PNG that goes along with the HTML, which names it `cid:{content_id}`; `description` is what it shows, in words."""

    content_id: str
    png: bytes
    filename: str
    description: str


class MailText(msgspec.Struct, frozen=True, kw_only=True):
    """A rendered mail. `calendar` is an .ics file, `html` a page without outside pictures."""

    subject: str
    text: str
    html: str | None = None
    pictures: tuple[Picture, ...] = ()
    calendar: bytes | None = None


Render = Callable[[Letter], Awaitable[MailText]]


class Delivery:
    """Sends what is queued until cancelled.

    Args:
        render: makes the words of a letter.
        send: hands a message to the server; raises `Refused`, `Postponed` or `Unsure`.
    """

    def __init__(self, central: Central, render: Render, send: Sender | None = None) -> None:
        self._central = central
        self._render = render
        self._send = send or Sender(central.settings.mail)

    async def run(self) -> None:
        """Deliver, look again every second; a failing server or database is tried again later."""
        while True:
            try:
                sent = await self.deliver_due() if self._central.settings.mail.host else 0
                await self._central.pool.execute(queries.abandoned, self._central.clock.now())
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("mail.worker_failed", error=type(error).__name__)
                sent = 0
            if sent < AT_ONCE:
                await asyncio.sleep(IDLE_S)

    async def deliver_due(self) -> int:
        """Send what is due now, a batch at most. Returns how many were taken."""
        now, attempts = self._central.clock.now(), self._central.settings.mail.attempts
        rows = await self._central.pool.fetch(queries.take, now, AT_ONCE, attempts)
        for row in rows:
            await self._deliver(row)
        return len(rows)

    async def _deliver(self, row: Any) -> None:
        mail_id = row["mail_id"]
        try:
            await self._send(await self._message(mail_id, row))
        except Unsure:
            await self._give_up(mail_id, "unsure", "no answer")
        except Refused as error:
            await self._give_up(mail_id, "failed", error.problem)
        except Postponed as error:
            await self._later(row, error.problem)
        except (OSError, TimeoutError) as error:  # the words need the database
            await self._later(row, type(error).__name__)
        except Exception as error:
            log.exception("mail.broken", mail=mail_id)
            await self._give_up(mail_id, "failed", type(error).__name__)
        else:
            await self._central.pool.execute(queries.sent, mail_id, self._central.clock.now())
            _MAILS.labels("sent").inc()
            log.info("mail.sent", mail=mail_id, kind=row["kind"])

    async def _message(self, mail_id: str, row: Any) -> EmailMessage:
        letter = msgspec.json.decode(row["message"], type=Letter)
        words, settings = await self._render(letter), self._central.settings.mail
        message = EmailMessage()
        message["From"] = formataddr((settings.sender_name, settings.sender))
        message["To"] = row["recipient"]
        message["Subject"] = words.subject
        message["Date"] = format_datetime(self._central.clock.now())
        message["Message-ID"] = f"<{mail_id}@{settings.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(words.text)  # drops every Content-… header that is there already
        if words.html is not None:
            message.add_alternative(words.html, subtype="html")
            for picture in words.pictures:
                _relate(message, picture)
        if words.calendar is not None:
            message.add_attachment(words.calendar, maintype="text", subtype="calendar", filename="cita.ics")
        message["Content-Language"] = letter.language  # last: a message that gets parts hands its content headers down
        return message

    async def _later(self, row: Any, problem: str) -> None:
        if row["attempts"] >= self._central.settings.mail.attempts:
            await self._give_up(row["mail_id"], "failed", problem)
            return
        wait_s = min(BACKOFF_FIRST_S * 4 ** (row["attempts"] - 1), BACKOFF_MAX_S)
        next_at = self._central.clock.now() + timedelta(seconds=wait_s)
        await self._central.pool.execute(queries.again, row["mail_id"], next_at, problem)
        _MAILS.labels("delayed").inc()
        log.warning("mail.delayed", mail=row["mail_id"], problem=problem, wait_s=wait_s)

    async def _give_up(self, mail_id: str, state: str, problem: str) -> None:
        await self._central.pool.execute(queries.give_up, mail_id, self._central.clock.now(), state, problem)
        _MAILS.labels(state).inc()
        log.error("mail.not_sent", mail=mail_id, state=state, problem=problem)


def _relate(message: EmailMessage, picture: Picture) -> None:
    """Put a picture beside the HTML part, inline."""
    html = message.get_body(preferencelist=("html",))
    if not isinstance(html, EmailMessage):
        return
    html.add_related(
        picture.png, maintype="image", subtype="png", cid=f"<{picture.content_id}>", filename=picture.filename,
        disposition="inline", headers=[f"Content-Description: {picture.description}"],
    )  # fmt: skip
