"""``policy show | preview | set | replay``: how an office's queue is ordered, and what another order would change."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec

from central.command_line import BY, CONFIG, attested, explained, on_database, settings_of
from central.policy.rules import PolicyError, Say, bound_min, cautions, group_name, preview, read_policy
from sync.domain.replays.compare import Comparison, Waits
from sync.messages import codec
from sync.messages.policy import Policy

NO_OFFICE = "there is no office {office}"
FILE = click.option(
    "--policy",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="TOML with the parameters; what is left out has its default.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
LANGUAGE = click.option("--language", type=click.Choice(["es", "en"]), default="es", show_default=True)


@click.group("policy", epilog="Example: python -m central policy show centro")
def policy() -> None:
    """How an office's queue is ordered: read it, change it from a day on, try it on past days."""


@policy.command("show", epilog="Example: python -m central policy show centro --json")
@click.argument("office")
@JSON
@LANGUAGE
@CONFIG
@explained
def show(office: str, as_json: bool, language: str, config: Path | None) -> None:
    """The policies of OFFICE, each with the day from which it holds, and what the last one means."""
    from central.policy.store import policies_of

    known = on_database(settings_of(config), partial(policies_of, office=office))
    if known is None:
        raise click.ClickException(NO_OFFICE.format(office=office))
    if as_json:
        click.echo(codec.encode([{**msgspec.to_builtins(one), "bound_min": bound_min(one.policy)} for one in known]))
        return
    for one in known:
        by = f"set by {one.set_by}" if one.set_by else "from the city's file"
        click.echo(f"from {one.effective_from}: version {one.policy.version}, {by}")
    _explain(known[-1].policy, _say(language))


@policy.command("preview", epilog="Example: python -m central policy preview --policy busy.toml")
@FILE
@LANGUAGE
@explained
def preview_command(file: Path, language: str) -> None:
    """What a policy file means, in plain words, with the guarantee that it gives; changes nothing."""
    _explain(_read(file), _say(language))


@policy.command("set", epilog="Example: python -m central policy set centro --policy busy.toml --from 2027-01-04")
@click.argument("office")
@FILE
@click.option("--from", "start", type=click.DateTime(["%Y-%m-%d"]), help="The first service day; else tomorrow.")
@LANGUAGE
@BY
@CONFIG
@explained
def set_command(
    *, office: str, file: Path, start: datetime | None, language: str, by: str, config: Path | None
) -> None:
    """Order the queue of OFFICE by a policy file from a service day on, and tell the office."""
    from central.policy.store import Overtaken, TooEarly, set_policy

    wanted = _read(file)
    work = partial(
        set_policy, office=office, policy=wanted, effective_from=start.date() if start else None, who=attested(by)
    )
    answer = on_database(settings_of(config), work)
    if answer is None:
        raise click.ClickException(NO_OFFICE.format(office=office))
    if isinstance(answer, TooEarly):
        raise click.ClickException(
            f"a policy begins on {answer.first} at the earliest: today's dues were told to people"
        )
    assert not isinstance(answer, Overtaken)  # nobody is overtaken who does not say what they have seen
    click.echo(f"{office}: version {answer.policy.version} from {answer.effective_from} on")
    _explain(answer.policy, _say(language))


@policy.command(
    "replay",
    epilog="Example: python -m central policy replay --office centro --days 20 --policy busy.toml --plot busy.svg",
)
@click.option("--office", required=True)
@click.option("--days", default=20, show_default=True, type=click.IntRange(1, 366), help="Past days to run again.")
@FILE
@JSON
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Write the picture here, as SVG.")
@LANGUAGE
@CONFIG
@explained
def replay_command(
    *, office: str, days: int, file: Path, as_json: bool, plot: Path | None, language: str, config: Path | None
) -> None:
    """What another policy would have changed on the past days of OFFICE. Exact for the order of calls, not for how people and
    clerks would have behaved; calls out of order are made by the rule.
    """
    from central.policy.chart import chart
    from sync.domain.replays.compare import compare

    past, chosen = on_database(settings_of(config), partial(_replay, office=office, days=days, policy=_read(file)))
    if not past:
        raise click.ClickException(f"nobody was called at {office} on the last {days} days")
    comparison = compare(past)
    if plot is not None:
        plot.write_text(chart(comparison, _say(language)), encoding="utf-8")
    if as_json:
        click.echo(codec.encode({"office": office, "chosen": chosen, **msgspec.to_builtins(comparison)}))
        return
    for line in table(comparison, chosen, _say(language)):
        click.echo(line)


def table(comparison: Comparison, chosen: int, say: Say) -> Iterator[str]:
    """The comparison for a terminal."""
    c = comparison
    yield f"{c.days} days; {c.earlier} people called earlier, {c.later} later (by a minute or more)"
    yield f"{'':32} {'people':>6}  {'P50 before':>10} {'after':>6}  {'P90 before':>10} {'after':>6}"
    for group in c.groups:
        name = group_name(group.by, group.name, say)
        p50, p90 = _pair(group.before, group.after, "p50_s"), _pair(group.before, group.after, "p90_s")
        yield f"{name:32} {group.people:6}  {p50[0]:10.1f} {p50[1]:6.1f}  {p90[0]:10.1f} {p90[1]:6.1f}"
    broken = f"broken {c.over_bound_before} and {c.over_bound_after} times"
    yield f"bound: {c.bound_before_min} min before, {c.bound_after_min} after; {broken}"
    yield f"not called: {c.uncalled_before} before, {c.uncalled_after} after"
    yield f"calls out of order, made by the rule here: {chosen}"
    for shift in c.shifts:
        yield f"  {shift.service_date} {shift.label:5} {shift.kind:18} {shift.by_s / 60:+7.1f} min"


def _pair(before: Waits, after: Waits, name: str) -> tuple[float, float]:
    return getattr(before, name) / 60, getattr(after, name) / 60


def _explain(of: Policy, say: Say) -> None:
    for sentence in preview(of, say):
        click.echo(f"· {sentence}")
    for sentence in cautions(of, say):
        click.echo(f"! {sentence}")


def _read(file: Path) -> Policy:
    try:
        return read_policy(file.read_text("utf-8"))
    except (PolicyError, UnicodeDecodeError) as error:
        problems = error.problems if isinstance(error, PolicyError) else ["is not UTF-8"]
        raise click.ClickException(f"{file} is no policy:\n" + "\n".join(f"  {one}" for one in problems)) from error


def _say(language: str) -> Say:
    from ui.catalog import load_catalog

    return load_catalog().words(language).text


async def _replay(connection: Any, *, office: str, days: int, policy: Policy) -> Any:
    from central.offices.store import read_catalogue
    from central.policy.replays import replayed
    from sync.io.clock import SystemClock

    now = SystemClock().now()
    record = (await read_catalogue(connection, now.date())).offices.get(office)
    if record is None:
        raise click.ClickException(NO_OFFICE.format(office=office))
    return await replayed(connection, record, now, days, policy)


COMMANDS = (policy,)
