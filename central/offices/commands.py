"""``second-factor enrol | drop``: one-time codes for staff who supervise."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click
import segno

from central.command_line import ATTEST, BY, CONFIG, attested, explained, on_database, settings_of

PROBLEMS = {
    "unknown": "office {office} has no {staff}; load the city first",
    "enrolled_already": "{staff} has a second factor already; with --replace the former one is worth nothing any more",
}


@click.group("second-factor", epilog="Example: python -m central second-factor enrol centro mercedes")
def second_factor() -> None:
    """One-time codes with which staff sign in beside their password, at their office and without central."""


@second_factor.command("enrol", epilog="Example: python -m central second-factor enrol centro mercedes")
@click.argument("office")
@click.argument("staff")
@click.option("--replace", is_flag=True, help="A new one, for a lost phone.")
@BY
@CONFIG
@explained
def enrol_command(*, office: str, staff: str, replace: bool, by: str, config: Path | None) -> None:
    """Make the second factor of STAFF at OFFICE, and show its QR and recovery codes: once, to the person, and to nobody else."""
    from central.offices.second_factor import Enrolment, enrol

    work = partial(enrol, office=office, staff_id=staff, who=attested(by), replace=replace)
    made = on_database(settings_of(config), work)
    if not isinstance(made, Enrolment):
        raise click.ClickException(PROBLEMS[made].format(office=office, staff=staff))
    segno.make(made.uri, error="m").terminal(compact=True)
    click.echo(made.uri)
    click.echo("recovery codes, each good once, to be kept on paper:")
    for code in made.recovery:
        click.echo(f"  {code}")


@second_factor.command(
    "drop", epilog='Example: python -m central second-factor drop centro mercedes --attest "has left"'
)
@click.argument("office")
@click.argument("staff")
@ATTEST
@BY
@CONFIG
@explained
def drop_command(*, office: str, staff: str, attest: str, by: str, config: Path | None) -> None:
    """Let STAFF of OFFICE sign in with the password alone again."""
    from central.offices.second_factor import drop

    work = partial(drop, office=office, staff_id=staff, who=attested(by, attest))
    if not on_database(settings_of(config), work):
        raise click.ClickException(f"{staff} of {office} has no second factor")
    click.echo(f"{staff} of {office} signs in with the password alone")


COMMANDS = (second_factor,)
