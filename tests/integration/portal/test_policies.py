"""A policy set at central: in force from its day on, known to the office before, told to people, tried on past days."""

import asyncio
from datetime import date, timedelta
from pathlib import Path

import msgspec
from click.testing import CliRunner, Result

from central.__main__ import main
from central.audit import Attested
from central.insight.office_now import domain_catalogue
from central.offices.load import load_city
from central.policy.replays import replayed
from central.policy.store import SetPolicy, TooEarly, policies_of, set_policy
from sync.messages.policy import Policy
from tests.integration.portal.conftest import Bed
from tests.integration.portal.test_wait_models import serve
from tests.kit.small_city import MONDAY_8H, small_city

MONDAY = date(2026, 11, 23)
STRICT = Policy(appointment_head_start_min=15)


def ana(bed: Bed) -> Attested:
    return Attested(actor="ana", at=bed.clock.now())


async def test_a_policy_holds_from_its_day_on_and_the_office_knows_it_before(portal: Bed) -> None:
    async with portal.server.central.pool.acquire() as connection:
        made = await set_policy(connection, office="centro", policy=STRICT, effective_from=None, who=ana(portal))
        assert isinstance(made, SetPolicy)
        assert (made.effective_from, made.policy.version, made.set_by) == (MONDAY + timedelta(days=1), 2, "ana")
        again = await set_policy(
            connection,
            office="centro",
            policy=Policy(grace_min=15),
            effective_from=MONDAY + timedelta(days=9),
            who=ana(portal),
        )
        assert isinstance(again, SetPolicy)
        assert again.policy.version == 3
        known = await policies_of(connection, "centro")
        assert known is not None
        assert [one.policy.version for one in known] == [1, 2, 3]
        rows = await connection.fetch(
            "SELECT entity_id FROM feed_entity WHERE stream = 'office:centro' AND kind = 'policy' ORDER BY 1"
        )
        assert [row["entity_id"] for row in rows] == ["2026-11-23", "2026-11-24", "2026-12-02"]
        assert await connection.fetchval("SELECT count(*) FROM audit WHERE act = 'policy.set'") == 2
    city = await portal.booking.catalogue.current()
    record = city.offices["centro"]
    at_office = domain_catalogue(record, city)
    for day, version in ((0, 1), (1, 2), (8, 2), (9, 3)):
        on = MONDAY + timedelta(days=day)
        assert record.policy_on(on).version == at_office.policy_on(on).version == version


async def test_today_and_unknown_offices_are_refused(portal: Bed) -> None:
    async with portal.server.central.pool.acquire() as connection:
        answer = await set_policy(connection, office="centro", policy=STRICT, effective_from=MONDAY, who=ana(portal))
        assert answer == TooEarly(MONDAY + timedelta(days=1))
        assert (
            await set_policy(connection, office="nowhere", policy=STRICT, effective_from=None, who=ana(portal)) is None
        )
        assert await connection.fetchval("SELECT count(*) FROM office_policy") == 0


async def test_loading_the_city_again_keeps_what_was_set(portal: Bed) -> None:
    async with portal.server.central.pool.acquire() as connection:
        await set_policy(connection, office="centro", policy=STRICT, effective_from=None, who=ana(portal))
        await load_city(connection, small_city(2), MONDAY_8H)
        known = await policies_of(connection, "centro")
    assert known is not None
    assert [one.policy.version for one in known] == [1, 2]


async def test_the_help_page_tells_the_policy_of_the_day(portal: Bed) -> None:
    async with portal.server.central.pool.acquire() as connection:
        await set_policy(connection, office="centro", policy=STRICT, effective_from=None, who=ana(portal))
    async with portal.citizen() as citizen:
        assert "45 minutos" in (await citizen.open("/ayuda")).words
        portal.clock.advance(days=1)
        assert "15 minutos" in (await citizen.open("/ayuda")).words


async def test_a_past_day_is_replayed_from_the_raw_log(portal: Bed) -> None:
    portal.clock.advance(hours=2)
    async with portal.office() as office:
        session = office.open("1")
        for minutes in (4, 6, 8):
            serve(office, session, minutes)
        await office.send()
    portal.clock.advance(days=1)
    record = (await portal.booking.catalogue.current()).offices["centro"]
    async with portal.server.central.pool.acquire() as connection:
        days, chosen = await replayed(connection, record, portal.clock.now(), 7, STRICT)
    assert (len(days), chosen) == (1, 0)
    assert [call.ticket_id for call in days[0].before.calls] == [call.ticket_id for call in days[0].after.calls]
    assert len(days[0].before.calls) == 3
    assert days[0].after.policy == STRICT


async def test_the_commands_say_what_they_did(portal: Bed, tmp_path: Path) -> None:
    file, config = tmp_path / "strict.toml", tmp_path / "central.toml"
    file.write_text("appointment_head_start_min = 15\n", "utf-8")
    config.write_text(f'[database]\ndsn = "{portal.server.central.settings.database.dsn}"\n', "utf-8")

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, main, [*arguments, "--config", str(config)])

    done = await run("policy", "set", "centro", "--policy", str(file), "--from", "2031-01-02", "--by", "ana")
    assert "centro: version 2 from 2031-01-02 on" in done.output
    assert "15 minutos antes de la cita" in done.output
    shown = await run("policy", "show", "centro")
    assert "from 2031-01-02: version 2, set by ana" in shown.output
    as_json = msgspec.json.decode((await run("policy", "show", "centro", "--json")).output)
    assert [(one["policy"]["version"], one["bound_min"]) for one in as_json] == [(1, 55), (2, 40)]
    late = await run("policy", "set", "centro", "--policy", str(file), "--from", "2020-01-02")
    assert (late.exit_code, "at the earliest" in late.output) == (1, True)
    nobody = await run("policy", "replay", "--office", "centro", "--policy", str(file))
    assert (nobody.exit_code, "nobody was called" in nobody.output) == (1, True)
    for command in (("policy", "show", "nowhere"), ("waits", "coverage", "--office", "nowhere")):
        unknown = await run(*command)
        assert (unknown.exit_code, "there is no office nowhere" in unknown.output) == (1, True)


async def test_a_replay_is_a_table_a_line_of_json_and_a_picture(portal: Bed, tmp_path: Path) -> None:
    portal.clock.advance(hours=2)
    async with portal.office() as office:
        session = office.open("1")
        serve(office, session, 5)
        await office.send()
    # The command reads the real clock; the simulated day is moved to yesterday.
    await portal.server.central.pool.execute(
        "SET session_replication_role = replica; "  # else no fact can be changed
        "UPDATE fact SET occurred_at = now() - interval '1 day' WHERE type = 'day.opened'; "
        "RESET session_replication_role"
    )
    file, config, plot = tmp_path / "strict.toml", tmp_path / "central.toml", tmp_path / "strict.svg"
    file.write_text("appointment_head_start_min = 15\n", "utf-8")
    config.write_text(f'[database]\ndsn = "{portal.server.central.settings.database.dsn}"\n', "utf-8")
    command = ["policy", "replay", "--office", "centro", "--policy", str(file), "--config", str(config)]
    shown = await asyncio.to_thread(CliRunner().invoke, main, [*command, "--plot", str(plot)])
    assert "1 days; 0 people called earlier, 0 later" in shown.output
    assert "bound: 55 min before, 40 after; broken 0 and 0 times" in shown.output
    assert plot.read_text("utf-8").startswith("<svg")
    line = await asyncio.to_thread(CliRunner().invoke, main, [*command, "--json"])
    assert msgspec.json.decode(line.output)["bound_after_min"] == 40
