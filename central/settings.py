"""The settings of central, loaded once at the entry point (`provisioning.settings.load`).

Every value can be overridden by `VENTANILLA_{SECTION}__{KEY}`; secrets are read from files.
"""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from sync.io.single_sign_on.settings import SingleSignOn
from sync.messages.wire import Durability

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Positive = Annotated[int, msgspec.Meta(ge=1)]


class Http(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where central listens and how the outside names it.

    Args:
        public_url: the address that citizens see, without a slash at the end; links and QR codes start with it.
        max_body_kb: largest request body of pages and API, KiB; the sync endpoints have a limit of their own.
        secure_cookies: set `Secure` on cookies; true wherever there is TLS in front.
        trusted_proxies: addresses and networks of the proxies in front (`["10.0.0.5", "fd00::/8"]`). Only from them is
            `X-Forwarded-For` believed; without them all who come through a proxy are slowed as one.
    """

    host: str = "127.0.0.1"
    port: Port = 8010
    public_url: str = "http://127.0.0.1:8010"
    max_body_kb: Positive = 64
    secure_cookies: bool = False
    trusted_proxies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for proxy in self.trusted_proxies:
            ip_network(proxy)  # what is no network is an error here; the proxy code would take it for a name


class Database(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The Postgres of central.

    Args:
        dsn: `postgresql://user@host:port/name`; a password goes into `password_file`.
        pool_min: connections kept open.
        pool_max: most connections of this process; more than 20 on a small machine only makes hot slots slower.
        lock_timeout_ms: how long a second try waits for a seat that somebody is just claiming.
        durability: what an acknowledgement means: `replicated` only with a synchronous standby.
    """

    dsn: str = "postgresql://postgres@127.0.0.1:5432/ventanilla"
    password_file: Path | None = None
    pool_min: Positive = 4
    pool_max: Positive = 12
    lock_timeout_ms: Positive = 200
    durability: Durability = "no_replica"


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Key files. They never leave central.

    Args:
        folder: where the five files stand: `person.key`, `links.key`, `booking-token.pem`, `activation.pem`, `api.key`.
        create_missing: make those that are missing (0600); for the demo and a first installation.
    """

    folder: Path = Path("data/central/keys")
    create_missing: bool = False


class Booking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How booking behaves.

    Args:
        horizon_days: how many service days ahead can be booked.
        feed_days: an office knows its appointments of today and so many days more.
        hold_min: minutes that seats are kept while a citizen fills in the form.
        draft_min: minutes that an unfinished form is kept.
        lead_min: a slot can be booked until so many minutes before it starts.
        holds_per_address: times that are kept at once for forms that came from one address (IPv6: one /64); more wait.
        lookups: tries by locator and document in `lookup_window_min`, per locator.
    """

    horizon_days: Positive = 30
    feed_days: Positive = 7
    hold_min: Positive = 10
    draft_min: Positive = 30
    lead_min: Annotated[int, msgspec.Meta(ge=0)] = 5
    holds_per_address: Positive = 40
    lookups: Positive = 5
    lookup_window_min: Positive = 15


class Leases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seats that offices may sell while they cannot ask central.

    Args:
        automatic: lend and settle every hour; else `python -m central lend-seats` does it.
        seats_per_slot: how many seats of a slot are lent at most; never its last free one, never more than a tenth of it
            but one.
        horizon_days: seats of tomorrow and so many days in all are lent.
    """

    automatic: bool = False
    seats_per_slot: Positive = 1
    horizon_days: Positive = 14


class Exchange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How fast offices may send what gathered while they were cut off. What happens now is never held back.

    Args:
        office_burst: facts that an office sends at full speed.
        office_facts_per_s: facts a second of one office after that.
        facts_per_s: facts a second of all offices together.
    """

    office_burst: Positive = 1000
    office_facts_per_s: Positive = 200
    facts_per_s: Positive = 2000


class Mail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The SMTP server that takes our mail. Without a host mails stay queued and `/health/ready` says so.

    Args:
        sender: the address in `From`.
        password_file: needed with `username`.
        tls: `starttls` and `tls` check the server's certificate.
        attempts: a mail is given up after so many, about a day apart from first to last.
    """

    host: str = ""
    port: Port = 25
    sender: str = "citas@ventanilla.example"
    sender_name: str = "Cita previa"
    username: str | None = None
    password_file: Path | None = None
    tls: Literal["none", "starttls", "tls"] = "none"
    timeout_s: Positive = 20
    attempts: Positive = 10


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long staff stay signed in at central.

    Args:
        end_h: a session ends after so many hours in any case.
        idle_end_min: a session ends after so many minutes in which its person did nothing.
    """

    end_h: Annotated[int, msgspec.Meta(ge=1, le=24)] = 12
    idle_end_min: Annotated[int, msgspec.Meta(ge=5, le=720)] = 60


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long central keeps what nobody needs any more (`central/retention`); the page of admins says why.

    Args:
        people_days: a person's data so many days after the day of their appointment: complaints come within a month.
        unsent_days: mails that could not be sent so long are given up, and what they say is deleted.
        mails_days: that a mail was sent, without what it said.
        replies_h: answers by request, hours: as long as offices and browsers may send a request again.
        feed_days: rows of the offices' streams: a node that was away longer takes a snapshot.
        tokens_days: who held a ticket that moved between offices.
        reports_days: what was counted of past days; reports reach back 31 of them, and are counted anew from the facts.
        closures_days: how appointments were moved when an office closed; the record of acts says so for ever.
        runs_days: what rules deleted, and when.
        streams_days: appointments and grants stay so long after their day on the streams of their offices.
    """

    people_days: Positive = 30
    unsent_days: Positive = 7
    mails_days: Positive = 90
    replies_h: Positive = 48
    feed_days: Positive = 14
    tokens_days: Positive = 14
    reports_days: Annotated[int, msgspec.Meta(ge=31)] = 40
    closures_days: Positive = 365
    runs_days: Annotated[int, msgspec.Meta(ge=31)] = 365
    streams_days: Positive = 2


class Logs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    level: Literal["debug", "info", "warning", "error"] = "info"
    form: Literal["json", "console", "auto"] = "auto"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of central's settings, one section each."""

    http: Http = Http()
    database: Database = Database()
    keys: Keys = Keys()
    booking: Booking = Booking()
    exchange: Exchange = Exchange()
    leases: Leases = Leases()
    mail: Mail = Mail()
    sign_in: SignIn = SignIn()
    single_sign_on: SingleSignOn = SingleSignOn()
    retention: Retention = Retention()
    logs: Logs = Logs()
