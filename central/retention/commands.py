"""``retention`` and ``erase-person``."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from central.command_line import ATTEST, BY, CONFIG, attested, explained, settings_of
from sync.io.clock import SystemClock

REFUSED = {
    "malformed": "this is no document or locator",
    "unknown": "central has no data of this person; nothing was erased",
    "several_people": "appointments of several people had this locator; say the document",
    "still_booked": "there are appointments to come; with --cancel-booked they are cancelled first",
}


@click.command("retention", epilog="Example: python -m central retention --dry-run")
@click.option("--dry-run", is_flag=True, help="Say what would go; nothing is changed.")
@BY
@CONFIG
@explained
def retention(*, dry_run: bool, by: str, config: Path | None) -> None:
    """Delete what is kept no longer than settings say, and write down what went. Central does so every hour by itself."""
    from central.database import open_pool
    from central.retention.service import Done, carry_out, rehearse

    settings = settings_of(config)

    async def work() -> list[Done] | None:
        async with open_pool(settings.database) as pool:
            now = SystemClock().now()
            return await (rehearse(pool, settings, now) if dry_run else carry_out(pool, settings, now, by=by))

    done = asyncio.run(work())
    if done is None:
        raise click.ClickException("another process of central is at it; try again in a minute")
    verb = "would go" if dry_run else "gone"
    for one in done:
        if one.failed:
            click.echo(f"{one.rule.kind:<14}failed")
            continue
        kept = f"{verb}: {one.gone}" if one.rule.keep is not None else "kept"
        oldest = f"{one.oldest:%Y-%m-%d %H:%M}" if one.oldest else "none left"
        click.echo(f"{one.rule.kind:<14}{kept:<20} oldest: {oldest}")
    if failed := [one.rule.kind for one in done if one.failed]:
        raise click.ClickException(f"not carried out: {', '.join(failed)}; the log says why, the others are done")


@click.command(
    "erase-person", epilog='Example: python -m central erase-person --document X1234567 --attest "request 2026/41"'
)
@click.option("--document", default="", help="DNI, NIE or passport of the person.")
@click.option("--locator", default="", help="Or the locator of one of their appointments.")
@click.option("--cancel-booked", is_flag=True, help="First cancel the appointments that are to come.")
@ATTEST
@BY
@CONFIG
@explained
def erase(*, document: str, locator: str, cancel_booked: bool, attest: str, by: str, config: Path | None) -> None:
    """Erase all personal data of one person, here and at the offices; statistics stay. It cannot be undone."""
    from central.booking.alone import booking_alone
    from central.retention.erasure import Erased, Refusal, erase_person

    if bool(document) == bool(locator):
        raise click.ClickException("say --document or --locator, one of them")
    settings = settings_of(config)

    async def work() -> Erased | Refusal:
        async with booking_alone(settings) as booking:
            who = attested(by, attest)
            return await erase_person(booking, who, document=document, locator=locator, cancel=cancel_booked)

    done = asyncio.run(work())
    if not isinstance(done, Erased):
        raise click.ClickException(REFUSED[done])
    click.echo(
        f"erased: {done.appointments} appointments ({done.cancelled} cancelled now), {done.mails} mails, {done.drafts} forms; "
        f"told: {', '.join(done.offices)}"
    )
    if done.left:
        raise click.ClickException(
            f"{done.left} appointments were changed meanwhile and still have the person: erase again"
        )


COMMANDS = (retention, erase)
