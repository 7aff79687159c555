"""The whole booking as HTML without script, through real HTTP."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.integration.portal.citizen import Citizen
from tests.integration.portal.conftest import Bed
from tests.integration.portal.manager import sign_in

DNI = "45298316T"
OTHER_DNI = "12345678Z"
WHO: dict[str, str | list[str]] = {
    "name": "Fátima Mohamed Ruiz",
    "doc_type": "dni",
    "doc": DNI,
    "mail": "fatima@example.org",
    "mobile": "",
}


async def to_times(citizen: Citizen, service: str = "viaje", office: str = "centro") -> None:
    await citizen.open(f"/tramites/{service}")
    await citizen.send("/reserva", service=service)
    assert citizen.path == "/reserva/oficina"
    await citizen.send("/reserva/oficina", office=office)
    assert citizen.path == "/reserva/hora", citizen.page.words


async def to_details(citizen: Citizen, service: str = "viaje") -> str:
    """Choose the first time. Returns it."""
    await to_times(citizen, service)
    chosen = citizen.page.form().choices["time"][0]
    await citizen.send("/reserva/hora", time=chosen)
    assert citizen.path == "/reserva/datos", citizen.page.words
    return chosen


async def to_check(citizen: Citizen, service: str = "viaje", **who: str | list[str]) -> str:
    """Go as far as the check page. Returns the chosen time."""
    chosen = await to_details(citizen, service)
    await citizen.send("/reserva/datos", **{**WHO, **who})
    assert citizen.path == "/reserva/compruebe", citizen.page.words
    return chosen


async def test_a_citizen_books_without_script(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        page = await citizen.open("/")
        assert "¿Qué necesita?" in page.words
        assert "/tramites/viaje" in page.links
        await to_check(citizen, support=["wheelchair", "quiet"])
        assert "La cita todavía no está reservada." in citizen.page.words
        assert "Fátima Mohamed Ruiz" in citizen.page.words
        assert await portal.count("appointment") == 0
        page = await citizen.send("/reserva/compruebe")
        assert citizen.path.startswith("/cita/")
        assert page.title.startswith("Cita confirmada")
        row = await portal.server.central.pool.fetchrow("SELECT * FROM appointment")
        assert row["full_name"] == "Fátima Mohamed Ruiz"
        assert row["needs"] == ["wheelchair", "quiet"]
        code = f"{row['locator'][:3]}-{row['locator'][3:]}"
        assert code in page.words
        assert 'role="img" aria-label="Código QR' in citizen.reply.text
        bookmark = await citizen.open(citizen.path)
        assert code in bookmark.words
        draft = await portal.server.central.pool.fetchval("SELECT body FROM booking_draft")
        assert b"Mohamed" not in draft


@pytest.mark.parametrize("language", ["es", "en", "fr", "ar"])
async def test_every_step_speaks_every_language(portal: Bed, language: str) -> None:
    async with portal.citizen(language) as citizen:
        await to_check(citizen)
        assert citizen.page.lang == language
        assert citizen.page.direction == ("rtl" if language == "ar" else "ltr")
        await citizen.send("/reserva/compruebe")
        assert citizen.page.lang == language
        assert await portal.count("appointment", f"language = '{language}'") == 1


async def test_a_get_never_changes_anything(portal: Bed) -> None:
    tables = ("seat WHERE state <> 'free'", "hold", "appointment", "booking_draft", "mail")
    async with portal.citizen() as citizen:
        for path in ("/", "/tramites", "/tramites/viaje", "/reserva/oficina", "/reserva/hora", "/cita", "/oficinas"):
            await citizen.open(path)
        for table in tables:
            assert await portal.count(*table.split(" WHERE ")) == 0, table


async def test_errors_are_said_twice_in_the_same_words_and_nothing_typed_is_lost(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        await to_details(citizen)
        page = await citizen.send("/reserva/datos", **{**WHO, "doc": "45298316K", "mail": "fatima@"})
        assert citizen.reply.status_code == 422
        assert page.title.startswith("Error: ")
        for words in ("la letra no coincide", "Revise el correo"):
            assert page.words.count(words) == 2
        assert {"#doc", "#mail"} <= set(page.links)
        assert ("name", "Fátima Mohamed Ruiz") in page.form().fields
        assert ("doc", "45298316K") in page.form().fields
        page = await citizen.open("/reserva/datos?lang=ar")
        assert page.lang == "ar"
        assert ("doc", "45298316K") in page.form().fields


async def test_another_kind_of_document_is_told_to_choose_its_type(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        await to_details(citizen)
        page = await citizen.send("/reserva/datos", **{**WHO, "doc": "X1234567"})
        assert citizen.reply.status_code == 422
        assert page.words.count("Si tiene otro documento, elija arriba su tipo.") == 2


async def test_switching_the_language_by_its_button_keeps_what_was_typed(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        await to_details(citizen)
        page = await citizen.send("/reserva/datos", name="Fátima", doc="", lang="ar")
        assert (citizen.path, page.lang) == ("/reserva/datos", "ar")
        assert ("name", "Fátima") in page.form().fields
        assert citizen.reply.status_code == 200


async def test_two_submits_at_once_book_once(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        await to_check(citizen)
        form = citizen.page.form("/reserva/compruebe")
        replies = await asyncio.gather(*(citizen.post(form, {}) for _ in range(3)))
        assert {reply.url.path for reply in replies} == {replies[0].url.path}
        assert replies[0].url.path.startswith("/cita/")
        assert await portal.count("appointment") == 1
        later = await citizen.post(form, {})
        assert later.url.path == replies[0].url.path
        assert await portal.count("mail") == 1


async def twice(portal: Bed, citizen: Citizen, action: str, **values: str | list[str]) -> list[httpx.Response]:
    """Send the form of this page twice at once: both have read the same draft before either writes it."""
    form = citizen.page.form(action)
    async with portal.server.central.pool.acquire() as connection:
        async with connection.transaction():
            await connection.fetch("SELECT FROM booking_draft FOR UPDATE")
            clicks = [asyncio.create_task(citizen.post(form, dict(values))) for _ in range(2)]
            await until_waiting(portal, 2)
        return list(await asyncio.gather(*clicks))


async def until_waiting(portal: Bed, requests: int) -> None:
    """Until so many wait for a lock in the database."""
    for _ in range(500):
        if (
            await portal.count("pg_stat_activity", "datname = current_database() AND wait_event_type = 'Lock'")
            >= requests
        ):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits")


@pytest.mark.parametrize("portal_dsn", [1, 3], indirect=True)
async def test_a_double_click_on_a_time_keeps_one_seat(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        await to_times(citizen)
        chosen = citizen.page.form().choices["time"][0]
        replies = await twice(portal, citizen, "/reserva/hora", time=chosen)
        assert [reply.url.path for reply in replies] == ["/reserva/datos"] * 2
        assert await portal.count("seat", "state = 'held'") == 1
        assert await portal.count("hold") == 1
        await citizen.open("/reserva/datos")
        await citizen.send("/reserva/datos", **WHO)
        await citizen.send("/reserva/compruebe")
        assert await portal.count("appointment") == 1
        assert await portal.count("seat", "state = 'held'") == 0


@pytest.mark.parametrize("portal_dsn", [1, 3], indirect=True)
async def test_a_double_click_on_another_time_moves_the_one_seat(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        await to_details(citizen)
        await citizen.open("/reserva/hora")
        other = citizen.page.form().choices["time"][1]
        await twice(portal, citizen, "/reserva/hora", time=other)
        assert await portal.count("seat", "state = 'held'") == 1
        assert await portal.count("hold", f"start_at = '{other}'") == 1


@pytest.mark.parametrize("portal_dsn", [1, 3], indirect=True)
async def test_a_double_click_over_a_form_that_ran_out_takes_one_seat_again(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        await to_details(citizen)
        portal.clock.advance(minutes=11)
        await citizen.open("/reserva/datos")
        replies = await twice(portal, citizen, "/reserva/datos", **WHO)
        assert [reply.url.path for reply in replies] == ["/reserva/compruebe"] * 2
        assert await portal.count("seat", f"state = 'held' AND held_until > '{portal.clock.now()}'") == 1


async def test_two_times_at_once_keep_one_of_them(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        await to_times(citizen)
        form = citizen.page.form()
        times = form.choices["time"][:2]
        await asyncio.gather(*(citizen.post(form, {"time": time}) for time in times))
        assert await portal.count("seat", "state = 'held'") == 1


async def test_more_time_is_one_button_and_keeps_the_form(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        await to_details(citizen)
        assert "8:10" in citizen.page.words
        portal.clock.advance(minutes=8)
        page = await citizen.send("/reserva/datos", name="Fátima", more="0")
        assert "8:18" in page.words
        assert ("name", "Fátima") in page.form().fields


async def test_a_double_click_on_more_time_uses_one_extension(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        await to_details(citizen)
        for n in range(3):
            portal.clock.advance(minutes=8)
            await citizen.open("/reserva/datos")
            replies = await twice(portal, citizen, "/reserva/datos", more=more_of(citizen))
            assert await portal.count("hold", f"extensions = {n + 1}") == 1
            assert all("aviso=mas-tiempo" in str(reply.url) for reply in replies)
        await citizen.open("/reserva/datos")
        before = await portal.server.central.pool.fetchval("SELECT held_until FROM hold")
        portal.clock.advance(minutes=1)
        await citizen.send("/reserva/datos", more=more_of(citizen))
        assert await portal.server.central.pool.fetchval("SELECT held_until FROM hold") == before
        assert "aviso" not in str(citizen.reply.url)


def more_of(citizen: Citizen) -> str:
    """What the button *more time* of this page says."""
    return next(value for name, value, _ in citizen.page.form().buttons if name == "more")


@pytest.mark.parametrize("more", ["", "time", "-1", "7", "9" * 40])
async def test_more_time_by_no_button_of_ours_gives_none(portal: Bed, more: str) -> None:
    async with portal.citizen() as citizen:
        await to_details(citizen)
        portal.clock.advance(minutes=5)
        await citizen.send("/reserva/datos", more=more)
        assert citizen.reply.status_code in {200, 422}
        assert await portal.count("hold", "extensions = 0") == 1


async def test_a_hold_that_ran_out_over_the_form_is_taken_again(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        await to_details(citizen)
        portal.clock.advance(minutes=11)
        page = await citizen.open("/reserva/datos")
        assert "Se ha acabado el tiempo" in page.words
        await citizen.send("/reserva/datos", **WHO)
        assert citizen.path == "/reserva/compruebe"
        assert "la hora seguía libre" in citizen.page.words
        await citizen.send("/reserva/compruebe")
        assert await portal.count("appointment") == 1


async def test_a_lapsed_time_that_somebody_else_took_gives_three_others_and_loses_nothing(portal: Bed) -> None:
    async with portal.citizen() as slow, portal.citizen() as quick:
        chosen = await to_details(slow)
        portal.clock.advance(minutes=11)
        assert await to_check(quick, doc=OTHER_DNI) == chosen
        await quick.send("/reserva/compruebe")
        page = await slow.send("/reserva/datos", **WHO)
        assert slow.reply.status_code == 409
        assert page.title.startswith("Error: ")
        assert "Otra persona acaba de reservar esa hora" in page.words
        others = [value for name, value, _ in page.form().buttons if name == "first"]
        assert len(others) == 3
        assert chosen not in others
        await slow.send("/reserva/hora", first=others[0])
        assert slow.path == "/reserva/compruebe", "the details are known already"
        assert "Fátima Mohamed Ruiz" in slow.page.words
        await slow.send("/reserva/compruebe")
        assert await portal.count("appointment", "status = 'booked'") == 2


async def test_the_last_seat_is_held_for_who_chose_it_first(portal: Bed) -> None:
    async with portal.citizen() as first, portal.citizen() as second:
        await to_times(first)
        await to_times(second)
        chosen = first.page.form().choices["time"][0]
        await first.send("/reserva/hora", time=chosen)
        await second.send("/reserva/hora", time=chosen)
        assert first.path == "/reserva/datos"
        assert second.reply.status_code == 409
        assert "Otra persona acaba de reservar esa hora" in second.page.words


async def test_a_second_appointment_of_the_same_family_is_refused_with_a_way_on(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        await to_check(citizen)
        await citizen.send("/reserva/compruebe")
        await to_check(citizen)
        page = await citizen.send("/reserva/compruebe")
        assert citizen.reply.status_code == 409
        assert "Ya tiene una cita para este trámite" in page.words
        assert "/cita" in page.links


async def test_any_office_gives_the_one_with_the_first_free_time(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        await to_times(citizen, office="any")
        assert "Centro, Plaza 1" in citizen.page.words


async def test_more_days_and_another_day_are_plain_pages(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        await to_times(citizen)
        days = citizen.page.form().choices["day"]
        assert len(days) == 5
        page = await citizen.send("/reserva/hora", day=days[3])
        assert ("shown", days[3]) in page.form().fields
        page = await citizen.open("/reserva/hora?mas=2")
        assert len(page.form().choices["day"]) == 10


async def test_without_any_free_time_the_page_says_what_to_do(portal: Bed) -> None:
    await portal.server.central.pool.execute("UPDATE slot SET open = false")
    async with portal.citizen() as citizen:
        await to_times(citizen)
        assert "Ahora no quedan citas para este trámite." in citizen.page.words
        assert "Venir sin cita" in citizen.page.words
        assert "tel:010" in citizen.page.links
        assert any(link.startswith("/reserva/oficina?") for link in citizen.page.links)


async def test_two_tabs_book_two_things_and_never_mix_them(portal: Bed) -> None:
    async with portal.citizen() as first:
        second = first.tab()
        await to_details(first, "viaje")
        await to_times(second, "padron", "real")

        await first.send("/reserva/datos", **WHO)
        assert first.path == "/reserva/compruebe"
        assert "Viaje" in first.page.words
        assert "Centro, Plaza 1" in first.page.words

        await second.send("/reserva/hora", time=second.page.form().choices["time"][0])
        assert second.path == "/reserva/datos"
        assert ("name", "") in second.page.form().fields, "what was typed in one tab is not in the other"
        await second.send("/reserva/datos", **WHO)
        await first.send("/reserva/compruebe")
        await second.send("/reserva/compruebe")
        rows = await portal.server.central.pool.fetch("SELECT service_id, office_id FROM appointment ORDER BY 1")
        assert [tuple(row) for row in rows] == [("padron", "real"), ("viaje", "centro")]


async def test_the_pages_of_a_tab_stay_with_its_booking(portal: Bed) -> None:
    async with portal.citizen() as first:
        second = first.tab()
        await to_check(first, "viaje")
        address, links = str(first.reply.url), [link for link in first.page.links if link.startswith("/reserva/")]
        await to_times(second, "padron", "real")
        assert "Centro, Plaza 1" in (await first.open(address)).words
        assert len(links) > 5
        for link in links:
            page = await first.open(link)
            assert "Centro" in page.words
            assert first.reply.status_code == 200
            assert next(value for name, value in page.form().fields if name == "request_id") in address
        page = await first.open(f"{address}&lang=ar")
        assert (page.lang, "Avenida 2" in page.words) == ("ar", False)


async def test_a_change_and_a_new_booking_go_on_side_by_side(portal: Bed) -> None:
    async with portal.citizen() as first:
        second = first.tab()
        await to_check(first)
        await first.send("/reserva/compruebe")
        await to_times(second, "padron", "real")
        await first.send("/cambiar")
        chosen = first.page.form().choices["time"][3]
        await second.send("/reserva/hora", time=second.page.form().choices["time"][0])
        await first.send("/reserva/hora", time=chosen)
        await first.send("/reserva/compruebe")
        assert await portal.count("appointment", f"service_id = 'viaje' AND slot_start_at = '{chosen}'") == 1
        await second.send("/reserva/datos", **WHO)
        assert second.path == "/reserva/compruebe", second.page.words


async def test_a_form_without_the_booking_that_it_belongs_to_changes_none(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        await to_details(citizen)
        await citizen.send("/reserva/datos", **WHO, request_id="")
        assert citizen.reply.status_code == 410
        assert b"Mohamed" not in await portal.server.central.pool.fetchval("SELECT body FROM booking_draft")


async def test_a_booking_is_opened_by_no_other_browser(portal: Bed) -> None:
    async with portal.citizen() as mine, portal.citizen() as other:
        await to_check(mine)
        await to_times(other)
        await other.open(str(mine.reply.url))
        assert other.reply.status_code == 410


async def test_a_draft_ends_after_half_an_hour(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        await to_check(citizen)
        portal.clock.advance(minutes=31)
        page = await citizen.send("/reserva/compruebe")
        assert citizen.reply.status_code == 410
        assert "Ha pasado mucho tiempo" in page.words


async def test_a_restored_central_says_not_now_in_every_language(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        chosen = await to_check(citizen)
        await portal.server.central.pool.execute("UPDATE central_life SET awaited = '{centro}'")
        await citizen.send("/reserva/compruebe")
        assert citizen.reply.status_code == 503
        assert "Ahora no podemos dar citas" in citizen.page.words
        page = await citizen.open("/reserva/hora?lang=en")
        assert (citizen.reply.status_code, "Those you have are valid" in page.words) == (503, True)
        assert "Nous vérifions" in (await citizen.open("/reserva/hora?lang=fr")).words
        assert "مواعيدك الحالية صالحة" in (await citizen.open("/reserva/hora?lang=ar")).words
        assert await portal.count("appointment") == 0
        portal.clock.advance(seconds=2)
        async with portal.citizen() as manager:
            overview = await sign_in(manager)
        assert "Hasta que informen estas oficinas no se dan citas: Centro" in overview.words

        await portal.server.central.pool.execute("UPDATE central_life SET awaited = '{}'")
        await citizen.open("/reserva/compruebe?lang=es")
        await citizen.send("/reserva/compruebe")
        assert await portal.count("appointment") == 1
        assert chosen
