"""One mail to the SMTP server, and what its end means: taken, refused for good, not taken this time, or nobody knows.

Only the message itself can leave doubt. Until DATA nothing of it has gone out, so whatever breaks in the greeting, MAIL or RCPT
is a mail that certainly did not arrive and can be tried again. From DATA on a lost connection may hide a "250".
Source: RFC 5321 section 4.5.4.1 (a 5yz answer is not to be tried again) and 6.1 (responsibility passes with the 250).
"""

from email.message import EmailMessage
from typing import Any

import aiosmtplib

from central.settings import Mail
from provisioning.settings import read_secret


class Unsure(Exception):
    """The connection ended after DATA and before the server's answer."""


class Refused(Exception):
    """The server will never take this mail.

    Args:
        problem: the answer's code, or the name of what the server cannot do.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class Postponed(Exception):
    """The server certainly did not take it this time."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class Sender:
    """Hands one message at a time to the SMTP server, on a connection of its own."""

    def __init__(self, settings: Mail) -> None:
        self._settings = settings
        self._password = read_secret(settings.password_file) if settings.password_file else None

    async def __call__(self, message: EmailMessage) -> None:
        """Send a message to its one recipient.

        Raises:
            Refused, Postponed: the server certainly did not take it.
            Unsure: nobody knows.
        """
        settings = self._settings
        client = _Client(
            hostname=settings.host,
            port=settings.port,
            timeout=settings.timeout_s,
            use_tls=settings.tls == "tls",
            start_tls=settings.tls == "starttls",
        )
        try:
            async with client:
                if settings.username and self._password:
                    await client.login(settings.username, self._password)
                await _send(client, message)
        except aiosmtplib.SMTPResponseException as error:
            # in the greeting or at login also a 5yz is about the server or our settings, not about this mail
            raise Postponed(str(error.code)) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Postponed(type(error).__name__) from error


async def _send(client: "_Client", message: EmailMessage) -> None:
    try:
        await client.send_message(message)
    except aiosmtplib.SMTPRecipientsRefused as error:
        raise _by_code(error.recipients[0].code) from error
    except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError) as error:
        raise _by_code(error.code) from error
    except aiosmtplib.SMTPNotSupported as error:
        raise Refused("no SMTPUTF8") from error  # an address with letters beyond ASCII; nothing else is asked for here


def _by_code(code: int) -> Refused | Postponed:
    return Refused(str(code)) if 500 <= code < 600 else Postponed(str(code))


class _Client(aiosmtplib.SMTP):
    """Tells a connection that was lost with the message from one that was lost before.

    Closed between DATA and "354" counts as unsure too: the library tells the two apart no further, and this way round no mail
    is sent twice.
    """

    async def data(self, message: str | bytes, /, **options: Any) -> aiosmtplib.SMTPResponse:
        try:
            return await super().data(message, **options)
        except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError) as error:
            raise Unsure from error
