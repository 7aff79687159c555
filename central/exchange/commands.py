"""Commands about the offices' nodes and the rights that move between them and central."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import msgspec

from central.command_line import ATTEST, BY, CONFIG, attested, explained, on_database, said, settings_of
from sync.messages import codec
from sync.messages.values import Slug
from sync.messages.wire import Activation

NODE_PROBLEMS = {
    "id_taken": "{node} is already registered with another key, office or epoch; a new node needs a new name",
    "epoch_taken": "another node holds epoch {epoch} of {office}; register this one with the next epoch",
    "office_unknown": "there is no office {office}; load the city first",
    "no_node": "{office} has no node yet; register its first one",
    "node_revoked": "{node} was revoked and is given nothing; make a new key on the box and use a new name",
}

NOT_LENT = {
    "recovering": "central was restored and still waits for offices; nothing is lent before it is open",
    "no_node": "one of these is no office, or has no node yet; nothing is lent",
}

LAST_INT4 = 2**31 - 1
LAST_INT8 = 2**63 - 1


def _node_name(_context: click.Context, _option: click.Parameter, name: str) -> str:
    """A name that the node's own messages can carry: with another one it would hold the office and could say nothing."""
    try:
        return msgspec.convert(name if name.isprintable() else "", Slug)
    except msgspec.ValidationError:
        raise click.BadParameter(f"{name!r} is no name of a node: a-z, 0-9, - and _, at most 40") from None


def _in_a_folder(_context: click.Context, _option: click.Parameter, file: Path | None) -> Path | None:
    """Found out before anything is done: the file is written when the office has its new node already."""
    if file is not None and not file.parent.is_dir():
        raise click.BadParameter(f"there is no folder {file.parent}")
    return file


PUBLIC_KEY = click.option(
    "--public-key", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True, help="PEM."
)
ACTIVATION_FILE = click.option(
    "--activation",
    "activation_file",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    callback=_in_a_folder,
    help="Write the signed activation here, for the node to keep beside its key.",
)


@click.command(
    "register-node", epilog="Example: python -m central register-node centro edge-centro --public-key node.pub.pem"
)
@click.argument("office")
@click.argument("node", callback=_node_name)
@PUBLIC_KEY
@click.option(
    "--epoch",
    default=1,
    type=click.IntRange(1, LAST_INT4),
    show_default=True,
    help="The life of the office's node that this one begins.",
)
@ACTIVATION_FILE
@CONFIG
@explained
def register_node(
    *, office: str, node: str, public_key: Path, epoch: int, activation_file: Path | None, config: Path | None
) -> None:
    """Let NODE speak for OFFICE, known by the public half of a key that was made on the node. Safe to repeat."""
    from central.exchange.activations import activate
    from central.exchange.nodes import register
    from central.keys import load_keys

    settings = settings_of(config)
    key = read_public_key(public_key)
    activation = activate(load_keys(settings.keys), office=office, node=node, epoch=epoch, public_key=key)
    work = partial(register, node_id=node, office=office, epoch=epoch, public_key=key, activation=activation.signature)
    answer = on_database(settings, work)
    if answer not in ("registered", "unchanged"):
        raise click.ClickException(NODE_PROBLEMS[answer].format(office=office, node=node, epoch=epoch))
    _hand_out(activation, activation_file)
    click.echo(f"{node} speaks for {office} from epoch {epoch} on")


@click.command(
    "replace-node",
    epilog="Example: python -m central replace-node centro --node edge-centro-2 --public-key node.pub.pem "
    '--activation activation.json --attest "the old box is in my hands, switched off"',
)
@click.argument("office")
@click.option("--node", required=True, callback=_node_name, help="The new node's name; no other node ever had it.")
@PUBLIC_KEY
@ACTIVATION_FILE
@ATTEST
@BY
@CONFIG
@explained
def replace_node(
    *, office: str, node: str, public_key: Path, activation_file: Path | None, attest: str, by: str, config: Path | None
) -> None:
    """Give OFFICE to a new node, with today's open tickets. The old one is fenced at once. Repeated for the same node and key
    it writes the activation once more and changes nothing.
    """
    from central.exchange.replacement import Replacement, replace
    from central.keys import load_keys

    settings = settings_of(config)
    key = read_public_key(public_key)

    async def work(connection: Any) -> Any:
        keys = load_keys(settings.keys)
        return await replace(connection, keys, attested(by, attest), office=office, node=node, public_key=key)

    answer = on_database(settings, work)
    if not isinstance(answer, Replacement):
        raise click.ClickException(NODE_PROBLEMS[answer].format(office=office, node=node))
    _hand_out(answer.activation, activation_file)
    if answer.replaced is None:
        click.echo(
            f"{node} has {office} already, from epoch {answer.activation.epoch} on; its activation is issued again"
        )
        return
    floors = ", ".join(f"{series}{number}" for series, number in answer.replaced.floors.items())
    click.echo(
        f"{node} speaks for {office} from epoch {answer.activation.epoch} on; "
        f"open tickets handed over: {answer.replaced.restored}; labels go on behind: {floors or 'none was given'}"
    )


@click.command("lend-seats", epilog="Example: python -m central lend-seats --config central.toml")
@click.option("--office", "offices", multiple=True, help="Only this office; may be given again.")
@CONFIG
@explained
def lend_seats(offices: tuple[str, ...], config: Path | None) -> None:
    """Lend future seats to the offices, to be sold while they cannot ask central. Safe to repeat; settles what is over."""
    from central.exchange.leases import Lent, lend, settle

    settings = settings_of(config)
    now = attested("").at

    async def work(connection: Any) -> Any:
        await settle(connection, now)
        return await lend(connection, settings.leases, now, offices)

    answer = on_database(settings, work)
    if not isinstance(answer, Lent):
        raise click.ClickException(NOT_LENT[answer])
    click.echo(f"lent: {answer.seats} seats in {answer.leases} leases")


@click.command("recall-lease", epilog="Example: python -m central recall-lease 01a202b8-bfed-7537-979f-0b494b054856")
@click.argument("leases", nargs=-1, required=True)
@BY
@CONFIG
@explained
def recall_lease(leases: tuple[str, ...], by: str, config: Path | None) -> None:
    """Ask an office for the unsold seats of LEASES. They are free when it has answered, not before."""
    from central.exchange.leases import recall

    settings = settings_of(config)
    for lease_id in leases:
        if not on_database(settings, partial(recall, who=attested(by), lease_id=_uuid(lease_id))):
            raise click.ClickException(f"there is no lease {lease_id}")
        click.echo(f"{lease_id}: asked back")


@click.command(
    "reclaim-lease",
    epilog="Example: python -m central reclaim-lease 01a202b8-bfed-7537-979f-0b494b054856 "
    '--attest "the old box burnt; nobody sold with it since Monday"',
)
@click.argument("lease_id", metavar="LEASE")
@ATTEST
@BY
@CONFIG
@explained
def reclaim_lease(lease_id: str, attest: str, by: str, config: Path | None) -> None:
    """Take back what is outstanding of LEASE because its holder is gone for good. Should it come back with a sale, both
    bookings are honoured and the conflict inbox says so.
    """
    from central.exchange.leases import reclaim

    settings = settings_of(config)
    freed = on_database(settings, partial(reclaim, who=attested(by, attest), lease_id=_uuid(lease_id)))
    if freed is None:
        raise click.ClickException(f"there is no lease {lease_id}")
    click.echo(f"{lease_id}: {freed} seats are free again")


@click.command(
    "restored",
    epilog='Example: python -m central restored --attest "restored the backup of 3:00, all processes are stopped"',
)
@ATTEST
@BY
@CONFIG
@explained
def restored(attest: str, by: str, config: Path | None) -> None:
    """Begin a new life of a database that was restored from a backup, before any process is started on it. Nothing is booked
    until every office has reported or was skipped.
    """
    from central.exchange.recovery import begin

    offices = on_database(settings_of(config), partial(begin, who=attested(by, attest)))
    click.echo(f"a new life begins; awaited: {', '.join(offices) or 'nobody'}")


@click.command(
    "skip-office", epilog='Example: python -m central skip-office real --attest "closed until June, its box is here"'
)
@click.argument("office")
@ATTEST
@BY
@CONFIG
@explained
def skip_office(office: str, attest: str, by: str, config: Path | None) -> None:
    """Open without OFFICE's report. Seats that only it knows to be sold may then be sold again."""
    from central.exchange.recovery import skip_office as skip

    if not on_database(settings_of(config), partial(skip, who=attested(by, attest), office=office)):
        raise click.ClickException(f"nobody waits for {office}")
    click.echo(f"{office} is not awaited any more")


@click.group("conflicts", epilog="Example: python -m central conflicts list")
def conflicts() -> None:
    """What happened on both sides of a cut and somebody should look at."""


@conflicts.command("list", epilog="Example: python -m central conflicts list")
@CONFIG
@explained
def list_conflicts(config: Path | None) -> None:
    """Open entries, and those resolved in the last days."""
    from central.exchange.conflicts import listed

    for one in on_database(settings_of(config), partial(listed, now=attested("").at)):
        detail = " ".join(f"{name}={value}" for name, value in sorted(one.detail.items()))
        end = f"resolved by {one.resolved_by}: {one.resolution}" if one.resolved_at else f"suggestion: {one.suggestion}"
        click.echo(f"{one.key}\n  {one.noted_at:%Y-%m-%d %H:%M} {one.office} {one.kind} {detail}\n  {end}")


@conflicts.command(
    "resolve",
    epilog='Example: python -m central conflicts resolve attended_after_cancel:01a2…:centro --done "served, told the clerk"',
)
@click.argument("key")
@click.option("--done", required=True, callback=said, help="What was done about it.")
@BY
@CONFIG
@explained
def resolve_conflict(key: str, done: str, by: str, config: Path | None) -> None:
    """Close the entry KEY."""
    from central.exchange.conflicts import resolve

    if not on_database(settings_of(config), partial(resolve, who=attested(by, done), key=key)):
        raise click.ClickException(f"there is no open entry {key}")
    click.echo(f"{key}: resolved")


@click.group("parked", epilog="Example: python -m central parked list")
def parked() -> None:
    """Facts of the offices that no projection could take: in the raw log, with no effect yet."""


@parked.command("list", epilog="Example: python -m central parked list")
@CONFIG
@explained
def list_parked(config: Path | None) -> None:
    """What waits for a fix."""
    from central.exchange.parked import listed

    for one in on_database(settings_of(config), listed):
        click.echo(f"{one.place} {one.type} {one.parked_at:%Y-%m-%d %H:%M} {one.detail}")


@parked.command("show", epilog="Example: python -m central parked show centro:1:57")
@click.argument("place")
@CONFIG
@explained
def show_parked(place: str, config: Path | None) -> None:
    """All that can be said of the fact at PLACE without quoting what it says."""
    from central.exchange.parked import shown

    office, _, position = place.partition(":")
    epoch, _, seq = position.partition(":")
    if not (epoch.isdecimal() and seq.isdecimal()) or int(epoch) > LAST_INT4 or int(seq) > LAST_INT8:
        raise click.ClickException(f"{place} is no place of a fact; write office:epoch:seq")
    found = on_database(settings_of(config), partial(shown, office=office, epoch=int(epoch), seq=int(seq)))
    if found is None:
        raise click.ClickException(f"no fact was parked at {place}")
    for name, value in found.items():
        click.echo(f"{name:12} {value}")


@parked.command("replay", epilog="Example: python -m central parked replay")
@BY
@CONFIG
@explained
def replay_parked(by: str, config: Path | None) -> None:
    """Try all of them again, in order, after a fix. Safe to repeat."""
    from central.exchange.parked import replay

    answer = on_database(settings_of(config), partial(replay, who=attested(by)))
    click.echo(f"taken: {answer.taken}, still parked: {answer.left}")


@click.command(
    "send-ticket", epilog="Example: python -m central send-ticket 01a202b8-bfed-7537-979f-0b494b054856 victoria"
)
@click.argument("ticket")
@click.argument("office")
@BY
@CONFIG
@explained
def send_ticket(ticket: str, office: str, by: str, config: Path | None) -> None:
    """Send TICKET, which no office has accepted, to OFFICE instead. Its place stays."""
    from central.exchange.conflicts import send_ticket as send

    work = partial(send, who=attested(by), ticket_id=_uuid(ticket), office=office)
    if not on_database(settings_of(config), work):
        raise click.ClickException(f"{ticket} is not on its way, or there is no office {office}")
    click.echo(f"{ticket} goes to {office}")


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise click.ClickException(f"{text} is no id") from None


def read_public_key(file: Path) -> bytes:
    """The 32 raw bytes of an Ed25519 public key in PEM form."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

    try:
        key = load_pem_public_key(file.read_bytes())
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise click.ClickException(f"{file} holds no public Ed25519 key in PEM form")
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _hand_out(activation: Activation, file: Path | None) -> None:
    if file is not None:
        file.write_bytes(codec.encode(activation) + b"\n")


COMMANDS = (
    register_node,
    replace_node,
    lend_seats,
    recall_lease,
    reclaim_lease,
    restored,
    skip_office,
    conflicts,
    send_ticket,
    parked,
)
