"""An office's policy by its manager's pages: read, changed in steps, set, tried; and by nobody else's."""

from __future__ import annotations

import asyncio
import threading
from datetime import date, timedelta
from typing import Any

import pytest

from central.audit import Attested
from central.policy import replays, trials
from central.policy.store import SetPolicy, policies_of, set_policy
from sync.domain.replays.rerun import rerun
from sync.messages.policy import Policy
from tests.integration.portal.citizen import Citizen, Document
from tests.integration.portal.conftest import Bed
from tests.integration.portal.manager import sign_in
from tests.integration.portal.test_wait_models import serve

TOMORROW = date(2026, 11, 24)
EDIT = "/normas/centro/cambiar"


async def known(bed: Bed, office: str = "centro") -> list[SetPolicy]:
    async with bed.server.central.pool.acquire() as connection:
        found = await policies_of(connection, office)
    assert found is not None
    return found


async def acts(bed: Bed) -> list[tuple[str, str, str]]:
    rows = await bed.server.central.pool.fetch("SELECT actor, act, subject FROM audit ORDER BY at, audit_id")
    return [(row["actor"], row["act"], row["subject"]) for row in rows if row["act"].startswith("policy.")]


async def eventually_free(trying: trials.Trials) -> None:
    """Wait until a try that was given up has ended."""
    async with asyncio.timeout(10), trying._turn:
        pass


async def begun(browser: Citizen, staff_id: str = "rocio") -> Document:
    await sign_in(browser, staff_id=staff_id, to=EDIT)
    return browser.page


def typed(page: Document) -> dict[str, str]:
    return dict(page.form("/cambiar").fields)


async def test_the_page_tells_what_holds_since_when_and_by_whom(portal: Bed) -> None:
    async with portal.citizen() as browser:
        page = await sign_in(browser, to="/normas")
        assert browser.path == "/normas/centro", "one's own office"
        assert "Versión 1, en vigor desde el lunes 23 de noviembre. Viene del archivo de la ciudad." in page.words
        assert "Una cita a las 10:20 que llega a su hora cuenta desde las 9:35" in page.words
        assert "pasados 55 minutos" in page.words
        assert "No hay ninguna anterior" in page.words
        assert 'name="oficina"' not in browser.reply.text, "there is nothing to choose"
        english = await browser.open("/normas/centro?lang=en")
        assert "In force today" in english.words
    assert await acts(portal) == [("centro/rocio", "policy.looked_at", "centro")], "once a session"


async def test_a_change_goes_by_words_to_its_day(portal: Bed) -> None:
    async with portal.citizen() as browser:
        page = await begun(browser)
        assert typed(page)["start"] == "2026-11-24"
        page = await browser.send("/cambiar", do="preview", appointment_head_start_min="30", reinstate="now")
        assert (browser.reply.status_code, page.title.split(" - ")[0]) == (200, "Qué significa el cambio")
        assert "Ventaja de la cita: antes 45 minutos, ahora 30 minutos." in page.words
        assert "Lugar de quien vuelve: antes conserva su lugar, ahora cuenta desde que vuelve." in page.words
        assert "La garantía pasa de 55 a 40 minutos." in page.words
        assert "cuenta desde las 9:50" in page.words
        assert "appointment_head_start_min = 30" in browser.reply.text, "the file for the command line"
        assert len(await known(portal)) == 1, "looking sets nothing"
        page = await browser.send("/cambiar", do="edit")
        assert typed(page)["appointment_head_start_min"] == "30"
        await browser.send("/cambiar", do="preview")
        page = await browser.send("/cambiar", do="save")
        assert browser.path == "/normas/centro"
        assert "Guardado: la versión 2 vale desde el martes 24 de noviembre." in page.words
        assert "La puso Rocío el 23/11/2026 8:00." in page.words
        portal.clock.advance(days=1)
        await sign_in(browser, to="/normas")
        page = await browser.open("/normas/centro")
        assert "Versión 2, en vigor desde el martes 24 de noviembre. La puso Rocío." in page.words
        assert "Versión 1, desde el lunes 23 de noviembre" in page.words
    first, second = await known(portal)
    assert (second.effective_from, second.set_by, second.policy.version) == (TOMORROW, "centro/rocio", 2)
    assert second.policy == Policy(version=2, appointment_head_start_min=30, reinstate="now")
    assert first.policy == Policy()
    assert ("centro/rocio", "policy.set", "centro") in await acts(portal)


async def test_bad_values_are_told_at_their_fields_and_nothing_typed_is_lost(portal: Bed) -> None:
    async with portal.citizen() as browser:
        await begun(browser)
        page = await browser.send(
            "/cambiar",
            do="preview",
            appointment_head_start_min="mucho",
            late_limit_min="9999",
            recall_limit="7",
            start="2026-11-23",
        )
        assert browser.reply.status_code == 422
        assert page.title.startswith("Error: ")
        for sentence in (
            "Ventaja de la cita: escriba un número entero, sin comas ni letras.",
            "Límite de retraso: escriba un número de 0 a 240.",
            "Primer día: como pronto, el martes 24 de noviembre.",
        ):
            assert page.words.count(sentence) == 2, "in the summary and at the field"
        wanted = {"appointment_head_start_min": "mucho", "late_limit_min": "9999", "recall_limit": "7"}
        assert wanted.items() <= typed(page).items()
        for field in ("appointment_head_start_min", "late_limit_min", "start"):
            assert f"#{field}" in page.links
        page = await browser.send("/cambiar", lang="en")
        assert page.lang == "en"
        assert wanted.items() <= typed(page).items(), "another language loses nothing either"
        assert page.words.count("Late limit: write a number from 0 to 240.") == 2, "and is judged as before"
        await browser.send("/cambiar", do="save")
        assert browser.reply.status_code == 422, "a form that skips the words is judged too"
    assert len(await known(portal)) == 1


@pytest.mark.parametrize("start", ["", "tomorrow", "2026-11-23", "2028-01-01", "2026-11-24T00:00"])
async def test_a_day_that_cannot_be_sets_nothing(portal: Bed, start: str) -> None:
    async with portal.citizen() as browser:
        await begun(browser)
        await browser.send("/cambiar", do="save", appointment_head_start_min="30", start=start)
        assert browser.reply.status_code == 422
    assert len(await known(portal)) == 1


async def test_who_is_overtaken_is_told_and_keeps_what_they_typed(portal: Bed) -> None:
    async with portal.citizen() as slow, portal.citizen() as quick:
        await begun(slow)
        await begun(quick, staff_id="alonso")
        await quick.send("/cambiar", do="preview", grace_min="15")
        await quick.send("/cambiar", do="save")
        await slow.send("/cambiar", do="preview", appointment_head_start_min="30")
        page = await slow.send("/cambiar", do="save")
        assert slow.reply.status_code == 409
        assert "Alonso guardó la versión 2, desde el martes 24 de noviembre" in page.words
        assert "Cortesía: antes 10 minutos, ahora 15 minutos." in page.words
        assert typed(page)["appointment_head_start_min"] == "30"
        assert [one.policy.version for one in await known(portal)] == [1, 2]
        page = await slow.send("/cambiar", do="preview")
        assert "Sustituye a la versión 2" in page.words
        assert "Cortesía: antes 15 minutos, ahora 10 minutos." in page.words, "it is told what it would undo"
        await slow.send("/cambiar", do="save")
        assert slow.path == "/normas/centro"
    [*_, last] = await known(portal)
    assert (last.policy.version, last.policy.appointment_head_start_min, last.policy.grace_min) == (3, 30, 10)


async def test_a_save_that_is_sent_twice_saves_once(portal: Bed) -> None:
    async with portal.citizen() as browser:
        await begun(browser)
        await browser.send("/cambiar", do="preview", grace_min="15")
        form = browser.page.form("/cambiar")
        replies = await asyncio.gather(*(browser.post(form, {"do": "save"}) for _ in range(3)))
        assert {reply.url.path for reply in replies} == {"/normas/centro"}
    assert [one.policy.version for one in await known(portal)] == [1, 2]


async def test_two_at_the_same_moment_do_not_both_win(portal: Bed) -> None:
    async with portal.citizen() as one, portal.citizen() as other:
        await begun(one)
        await begun(other, staff_id="alonso")
        await one.send("/cambiar", do="preview", grace_min="11")
        await other.send("/cambiar", do="preview", grace_min="12")
        replies = await asyncio.gather(
            *(each.post(each.page.form("/cambiar"), {"do": "save"}) for each in (one, other))
        )
        assert sorted(reply.status_code for reply in replies) == [200, 409]
    assert [one.policy.version for one in await known(portal)] == [1, 2]


async def test_a_change_in_front_of_one_that_is_decided_says_until_when(portal: Bed) -> None:
    async with portal.server.central.pool.acquire() as connection:
        await set_policy(
            connection,
            office="centro",
            policy=Policy(grace_min=15),
            effective_from=TOMORROW + timedelta(days=6),
            who=Attested(actor="ops", at=portal.clock.now()),
        )
    async with portal.citizen() as browser:
        page = await sign_in(browser, to="/normas/centro")
        assert "Ya decididas, aún no en vigor" in page.words
        assert "La puso ops" in page.words, "from the command line, somebody without a row of staff"
        await browser.open(EDIT)
        page = await browser.send("/cambiar", do="preview", appointment_head_start_min="30")
        assert "Hasta el lunes 30 de noviembre: entonces empieza la versión 2" in page.words
        page = await browser.send("/cambiar", do="edit")
        page = await browser.send("/cambiar", do="preview", start="2026-12-01")
        assert "Cortesía: antes 15 minutos, ahora 10 minutos." in page.words, "compared with what would hold that day"


async def test_nothing_changed_is_nothing_to_save(portal: Bed) -> None:
    async with portal.citizen() as browser:
        await begun(browser)
        page = await browser.send("/cambiar", do="preview")
        assert "No cambia nada" in page.words
        assert ("do", "save", "") not in page.form("/cambiar").buttons


async def test_another_offices_policy_is_for_its_manager_and_the_admin(portal: Bed) -> None:
    async with portal.citizen() as browser, portal.citizen() as theirs:
        await begun(browser)
        await browser.send("/cambiar", do="preview", grace_min="15")
        form = browser.page.form("/cambiar")
        form.action = "/normas/real/cambiar"
        for reply in [
            await browser.client.get("/normas/real"),
            await browser.client.get("/normas/real/cambiar"),
            await browser.post(form, {"do": "save"}),
            await browser.client.get("/normas/nowhere"),
        ]:
            assert reply.status_code == 403
            assert "Esta oficina no es la suya" in reply.text
        assert len(await known(portal, "real")) == 1
        await sign_in(theirs, "real", "rocio", "otra", to="/normas")
        assert (theirs.path, theirs.reply.status_code) == ("/normas/real", 200)
    async with portal.citizen() as browser:
        await sign_in(browser, staff_id="alonso", to="/normas?oficina=real")
        assert (browser.path, browser.reply.status_code) == ("/normas/real", 200)
        assert 'name="oficina"' in browser.reply.text
        assert (await browser.client.get("/normas/nowhere")).status_code == 404


@pytest.mark.parametrize("roles", [["clerk"], ["clerk", "supervisor"], []])
async def test_who_is_no_manager_any_more_changes_nothing(portal: Bed, roles: list[str]) -> None:
    async with portal.citizen() as browser:
        await begun(browser)
        await browser.send("/cambiar", do="preview", grace_min="15")
        await portal.server.central.pool.execute("UPDATE staff SET roles = $1 WHERE id = 'rocio'", roles)
        await browser.send("/cambiar", do="save")
        assert browser.reply.status_code == 401
    assert len(await known(portal)) == 1


async def test_nobody_posts_from_another_site(portal: Bed) -> None:
    async with portal.citizen() as browser:
        await begun(browser)
        await browser.send("/cambiar", do="preview", grace_min="15")
        form = browser.page.form("/cambiar")
        assert (await browser.post(form, {"do": "save", "_csrf_token": "made up"})).status_code == 403
    assert len(await known(portal)) == 1


async def test_what_was_typed_outlives_the_session(portal: Bed) -> None:
    async with portal.citizen() as browser:
        await begun(browser)
        await browser.send("/cambiar", do="edit", grace_min="15", recall_limit="x")
        portal.clock.advance(hours=2)
        page = await browser.send("/cambiar", do="save")
        assert browser.reply.status_code == 401
        assert "lo que escribió sigue aquí" in page.words
        page = await browser.send("/personal/entrar", office="centro", staff_id="rocio", password="guess")
        assert browser.reply.status_code == 422
        page = await browser.send("/personal/entrar", office="centro", staff_id="rocio", password="secreta")
        assert "Lo que escribió antes está guardado aquí" in page.words
        page = await browser.send("/cambiar")
        assert (browser.reply.status_code, typed(page)["grace_min"], typed(page)["recall_limit"]) == (422, "15", "x")
        await browser.send("/cambiar", do="save", recall_limit="3")
        assert browser.path == "/normas/centro"
    assert (await known(portal))[-1].policy.grace_min == 15


async def test_past_days_are_tried_and_nothing_is_set(portal: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    async with portal.citizen() as browser:
        await begun(browser)
        await browser.send("/cambiar", do="preview", appointment_head_start_min="15")
        page = await browser.send("/cambiar", do="try")
        assert "En los últimos 5 días no se llamó a nadie." in page.words
    portal.clock.advance(hours=2)
    async with portal.office() as office:
        session = office.open("1")
        for minutes in (4, 6, 8):
            serve(office, session, minutes)
        await office.send()
    portal.clock.advance(days=1)
    async with portal.citizen() as browser:
        await begun(browser)
        await browser.send("/cambiar", do="preview", appointment_head_start_min="15")
        page = await browser.send("/cambiar", do="try")
        assert "1 día: a 0 personas se las habría llamado antes y a 0 después" in page.words
        assert "trámite Padrón" in page.words
        assert "<svg" in browser.reply.text
        assert typed(page)["appointment_head_start_min"] == "15"
        trying = portal.server._app.state.portal.trials
        async with trying._turn:
            page = await browser.send("/cambiar", do="try")
        assert "Otra persona está probando ahora" in page.words
        monkeypatch.setattr(trials, "LONGEST_S", 0)
        page = await browser.send("/cambiar", do="try")
        assert "Ha tardado demasiado" in page.words
        await eventually_free(trying)

        real, may_end = rerun, threading.Event()

        def slow(*arguments: Any) -> Any:
            assert may_end.wait(20)
            return real(*arguments)

        monkeypatch.setattr(replays, "rerun", slow)
        monkeypatch.setattr(trials, "LONGEST_S", 0.3)
        try:
            page = await browser.send("/cambiar", do="try")
            assert "Ha tardado demasiado" in page.words
            page = await browser.send("/cambiar", do="try")
            assert "Otra persona está probando ahora" in page.words, "the thread goes on, so nobody else begins one"
        finally:
            may_end.set()
        await eventually_free(trying)
        monkeypatch.setattr(trials, "LONGEST_S", 20)
        page = await browser.send("/cambiar", do="try")
        assert "1 día: a 0 personas" in page.words
    assert len(await known(portal)) == 1
    assert [act for _, act, _ in await acts(portal)] == ["policy.tried"] * 2
