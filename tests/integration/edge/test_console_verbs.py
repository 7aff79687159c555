"""Every verb of the work screen as a browser without script sends it: what the queue does, and what is told."""

from pathlib import Path
from typing import Any

import pytest

from edge_node.queue.desk import Wish
from sync.domain.ticket import Ticket
from sync.io.ids import new_id
from sync.messages import codec
from tests.integration.edge.clerk import Clerk, clerk_at, seen, session
from tests.kit.clock import ManualClock
from tests.kit.console_server import CITIZEN_ACTOR, Console, console

UNKNOWN = "01a202c9-0000-7000-8000-000000000000"


def ticket(served: Console, label: str) -> Ticket:
    return next(t for t in served.node.dispatcher.state.day.tickets.values() if t.label == label)


def session_at(served: Console, counter: str) -> str:
    return served.node.dispatcher.state.day.session_at[counter]


async def called(served: Console, clerk: Clerk, *, start: bool = True, counter: str = "4") -> dict[str, str]:
    """Somebody is called, and has come; the fields of a verb about them."""
    waiting = await served.walk_in()
    here = session_at(served, counter)
    await clerk.act("call_next", session=here, after=seen(served, here))
    mine = {"session": here, "ticket_id": waiting.ticket_id}
    if start:
        await clerk.act("start", **mine)
    return mine


async def test_next_ends_the_visit_and_the_whole_act_is_undone(served: Console, clerk: Clerk) -> None:
    mine = await called(served, clerk)
    await served.walk_in("registro")
    page = await clerk.act("call_next", session=mine["session"], after=seen(served, mine["session"]))
    assert "B1 finalizado (resuelto). Llamado K1" in page
    assert "Deshacer: finalizar B1, llamar a K1" in page
    act = served.node.dispatcher.state.day.sessions[mine["session"]].act
    assert act is not None
    page = await clerk.act("undo", session=mine["session"], act=act.request_id)
    assert "B1: deshecho" in page
    assert (served.tickets("serving"), served.tickets("waiting")) == (["B1"], ["K1"])
    assert "Deshacer:" not in await clerk.page()


async def test_next_with_nobody_waiting_says_that_the_visit_ended(served: Console, clerk: Clerk) -> None:
    mine = await called(served, clerk)
    page = await clerk.act("call_next", session=mine["session"], after=seen(served, mine["session"]))
    assert "B1 finalizado (resuelto). No espera nadie" in page


async def test_the_middle_asks_for_the_key_only_while_somebody_can_be_called(served: Console, clerk: Clerk) -> None:
    assert "Pulse F8" not in await clerk.page()
    await served.walk_in()
    assert "Pulse F8" in await clerk.page()


async def test_who_did_not_come_was_no_visit(served: Console, clerk: Clerk) -> None:
    mine = await called(served, clerk, start=False)
    assert "Última visita" not in await clerk.act("no_show", **mine)
    await clerk.act("reinstate", ticket_id=mine["ticket_id"])
    await clerk.act("call_next", session=mine["session"], after=seen(served, mine["session"]))
    await clerk.act("start", **mine)
    page = await clerk.act("finish", **mine, outcome="resolved")
    assert "Última visita, B1:" in page
    assert f'href="/attendance/{mine["ticket_id"]}"' in page


async def test_a_walk_in_is_served_at_once_and_the_service_remembered(served: Console, clerk: Clerk) -> None:
    assert '<option value="padron" selected>' in await clerk.page("/?panel=give"), "the counter's own first"
    page = await clerk.act("serve_walk_in", session=session(served), service="registro", here="/?panel=give")
    assert "K1: atendiendo" in page
    assert served.tickets("serving") == ["K1"]
    assert '<option value="registro" selected>' in await clerk.page("/?panel=give")
    page = await clerk.act("serve_walk_in", session=session(served), after=seen(served), service="padron")
    assert "Termine o derive antes la visita actual." in page
    assert served.tickets("serving") == ["K1"]


async def test_a_ticket_is_given_with_its_class_and_support(served: Console, clerk: Clerk) -> None:
    again: dict[str, Any] = {
        "session": session(served),
        "service": "padron",
        "priority_class": "reduced_mobility",
        "basis": "seen",
        "needs": ["signs", "quiet"],
        "language": "ar",
        "request_id": new_id(),
    }
    for _ in range(2):
        assert "Turno B1" in await clerk.act("take_ticket", **again)
    given = ticket(served, "B1")
    assert given.priority_class == "reduced_mobility"
    assert served.node.dispatcher.state.remarks[given.ticket_id].needs == ("signs", "quiet", "speaks_ar")
    assert served.facts("ticket.issued") == served.facts("ticket.needs_set") == 1
    facts = b"".join(codec.encode(entry.fact) for entry in served.node.live._recent)
    assert b'"basis":"seen"' in facts
    assert b"signs" not in facts
    assert b"_ar" not in facts
    page = await clerk.page()
    assert "Lengua de signos" in page
    assert "Habla árabe" in page


async def test_the_language_chosen_at_the_kiosk_is_told_at_the_call(served: Console, clerk: Clerk) -> None:
    await served.node.desk.take_ticket(new_id(), "padron", CITIZEN_ACTOR, Wish(language="fr"))
    page = await clerk.act("call_next", session=session(served))
    assert "Habla francés" in page


async def test_an_old_view_leaves_no_language_behind(served: Console, clerk: Clerk) -> None:
    await called(served, clerk)
    await clerk.act("serve_walk_in", session=session(served), service="padron", language="ar", after=UNKNOWN)
    assert served.node.dispatcher.state.remarks == {}


@pytest.mark.parametrize(
    "target, told",
    [
        ("service:certificados", "B1 derivado a Certificados"),
        ("counter:5", "B1 derivado a Puesto 5"),
        ("staff_id:clerk-2", "B1 derivado a Clerk-2"),
        ("zone:b", "B1 derivado a Zona B"),
    ],
)
async def test_a_transfer_says_where_to(served: Console, clerk: Clerk, target: str, told: str) -> None:
    async with clerk_at(served, "clerk-2", "5") as other:
        mine = await called(served, clerk)
        note = "Trae la <b>autorización</b>"
        page = await clerk.act("transfer", **mine, target=target, order="next", reason="returning", note=note)
        assert told in page
        assert served.tickets("waiting") == ["B1"]
        raw = (await other.http.get("/")).text
        assert "Viene del puesto 4, Clerk-1" in raw
        assert "&lt;b&gt;autorización&lt;/b&gt;" in raw
        page = await other.act("call_next", session=session_at(served, "5"))
        assert "Nota de Clerk-1" in page
        assert "Viene del puesto 4, Clerk-1" in page


async def test_a_note_is_for_those_who_may_serve_its_ticket(served: Console, clerk: Clerk) -> None:
    async with clerk_at(served, "clerk-2", "5"), clerk_at(served, "clerk-3", "6") as third:
        mine = await called(served, clerk)
        await clerk.act("transfer", **mine, target="counter:5", note="Solo para el puesto 5")
        page = await third.page()
        assert "B1" in page
        assert "Solo para el puesto 5" not in page
        assert "Solo para el puesto 5" not in await third.page(f"/?panel=ticket&ticket={mine['ticket_id']}")


async def test_parked_people_show_why_and_come_back(served: Console, clerk: Clerk) -> None:
    mine = await called(served, clerk)
    page = await clerk.act("park", **mine, reason="payment", remind_min="5", back_to_me="yes", here="/?panel=park")
    assert "B1 aparcado" in page
    assert "Ha ido a pagar" in page
    assert "aviso a las" in page
    await served.walk_in()
    page = await clerk.act("resume", ticket_id=mine["ticket_id"])
    assert "derivado o retomado para que vaya primero" in page


async def test_who_is_skipped_waits_on_and_is_called_next(served: Console, clerk: Clerk) -> None:
    first, second = await served.walk_in(), await served.walk_in()
    here = {"session": session(served)}
    page = await clerk.act("skip", **here, ticket_id=first.ticket_id, reason="away")
    assert "B1 omitido: sigue en espera" in page
    await clerk.act("call_next", **here)
    assert served.tickets("called") == ["B2"]
    for verb in ("start", "finish"):
        await clerk.act(verb, **here, ticket_id=second.ticket_id)
    await clerk.act("call_next", **here, after=seen(served))
    assert served.tickets("called") == ["B1"]


async def test_a_visit_may_have_several_services_and_says_which_were_done(served: Console, clerk: Clerk) -> None:
    mine = await called(served, clerk)
    assert "Certificados" in await clerk.page("/?panel=add")
    page = await clerk.act("add_service", **mine, service="certificados")
    assert "B1: trámite añadido, Certificados" in page
    assert "Trámites hechos" in page
    await clerk.act("finish", **mine, outcome="referred", services=["certificados"])
    assert ticket(served, "B1").services == ("certificados",)


async def test_class_and_support_are_set_on_a_visit(served: Console, clerk: Clerk) -> None:
    mine = await called(served, clerk)
    about = {"ticket_id": mine["ticket_id"]}
    page = await clerk.act("set_priority", **about, priority_class="reduced_mobility", basis="asked")
    assert "B1: atención cambiada" in page
    page = await clerk.act("set_needs", **about, needs=["wheelchair"], speaks="speaks_en")
    assert "Silla de ruedas" in page
    assert "Habla inglés" in page
    page = await clerk.act("set_needs", **about)
    assert "Silla de ruedas" not in page
    assert "Habla inglés" not in page


async def test_support_is_asked_for_silently_and_answered(served: Console, clerk: Clerk) -> None:
    async with clerk_at(served, "clerk-2", "5") as other:
        page = await clerk.act("ask_support", session=session(served), urgency="panic")
        assert "Nadie ha contestado aún." in page
        assert "Puesto 4: Clerk-1 necesita ayuda ya" in await other.page()
        (call,) = served.node.dispatcher.state.day.support
        assert "Se ocupa usted del aviso" in await other.act("answer_support", support_id=call)
        assert "Acude Clerk-2, del puesto 5." in await clerk.page()
        assert "Alguien se ocupa ya de ese aviso." in await clerk.act("answer_support", support_id=call)


@pytest.mark.parametrize(
    "verb, fields, sentence",
    [
        ("skip", {"reason": "away"}, "No espera nadie más"),
        ("skip", {}, "Elija un motivo"),
        ("park", {"remind_min": "soon"}, "Falta un dato o no vale."),
        ("park", {"then": "return:0"}, "Falta un dato o no vale."),
        ("park", {"then": "never:5"}, "Falta un dato o no vale."),
        ("add_service", {"service": "padron"}, "Ese turno ya no está así"),
        ("transfer", {"target": "zone:a"}, "Ahora no atiende nadie ahí."),
        ("transfer", {"target": "staff_id:clerk-5"}, "Ahora no atiende nadie ahí."),
        ("transfer", {"target": "counter:9"}, "Ese puesto no está abierto."),
        ("transfer", {"target": "service:padron", "order": "first"}, "Falta un dato o no vale."),
        ("transfer", {"target": "service:padron", "note": "x" * 10_000}, "140 caracteres como mucho."),
        ("finish", {}, "Ese turno ya no está así"),
        ("leave", {"session": ""}, "Ese turno ya no está así"),
        ("resume", {"session": ""}, "Ese turno ya no está así"),
        ("reinstate", {"session": ""}, "Ese turno ya no está así"),
        (
            "set_priority",
            {"session": "", "priority_class": "vip", "basis": "seen"},
            "Esa atención preferente no existe",
        ),
        ("set_priority", {"session": "", "priority_class": "reduced_mobility"}, "Elija un motivo"),
        ("set_needs", {"session": "", "needs": "<script>"}, "Falta un dato o no vale."),
        ("undo", {"ticket_id": "", "act": UNKNOWN}, "El puesto ya había avanzado"),
        ("answer_support", {"session": "", "ticket_id": "", "support_id": UNKNOWN}, "Alguien se ocupa ya"),
    ],
)
async def test_a_verb_that_may_not_be_has_one_sentence_and_does_nothing(
    served: Console, clerk: Clerk, verb: str, fields: dict[str, str], sentence: str
) -> None:
    """Somebody is called, nobody else waits."""
    mine = await called(served, clerk, start=False)
    before = served.node.dispatcher.state.tail.seq
    page = await clerk.act(verb, **{**mine, **fields})
    assert sentence in page
    assert served.node.dispatcher.state.tail.seq == before
    assert served.tickets("called") == ["B1"]


@pytest.mark.parametrize(
    "verb, fields",
    [
        ("park", {"reason": "other"}),
        ("transfer", {"target": "service:padron"}),
        ("recall", {}),
        ("start", {}),
        ("finish", {}),
        ("no_show", {}),
        ("add_service", {"service": "certificados"}),
        ("skip", {"reason": "away"}),
        ("set_needs", {"session": ""}),
        ("set_priority", {"session": "", "priority_class": "reduced_mobility", "basis": "seen"}),
        ("leave", {}),
        ("resume", {"session": ""}),
        ("reinstate", {"session": ""}),
        ("call_ticket", {"reason": "short"}),
    ],
)
async def test_a_finished_ticket_takes_no_verb(
    served: Console, clerk: Clerk, verb: str, fields: dict[str, str]
) -> None:
    mine = await called(served, clerk)
    await clerk.act("finish", **mine)
    before = served.node.dispatcher.state.tail.seq
    if verb == "call_ticket":
        fields = {**fields, "after": seen(served, mine["session"])}
    assert "Ese turno ya no está así" in await clerk.act(verb, **{**mine, **fields})
    assert served.node.dispatcher.state.tail.seq == before
    assert served.tickets("finished") == ["B1"]


@pytest.mark.parametrize("panel", ["transfer", "add", "park", "skip", "more", "class", "needs", "ticket", "given"])
async def test_a_panel_that_has_nothing_to_show_is_not_there(served: Console, clerk: Clerk, panel: str) -> None:
    for path in (f"/?panel={panel}", f"/?panel={panel}&ticket={UNKNOWN}"):
        assert "data-panel" not in await clerk.page(path)


@pytest.mark.parametrize("panel", ["call", "park", "skip", "class", "needs", "ticket"])
async def test_a_waiting_ticket_has_its_panels(served: Console, clerk: Clerk, panel: str) -> None:
    waiting = await served.walk_in()
    assert f'data-panel="{panel}"' in await clerk.page(f"/?panel={panel}&ticket={waiting.ticket_id}")


async def test_a_due_reminder_is_told_to_the_clerk_and_then_to_the_supervisors(tmp_path: Path) -> None:
    clock = ManualClock()
    async with (
        console(tmp_path / "edge", clock=clock) as served,
        clerk_at(served, "clerk-1", "4") as clerk,
        clerk_at(served, "clerk-2", "5") as other,
        clerk_at(served, "boss", "6") as boss,
    ):
        mine = await called(served, clerk, start=False, counter="4")
        page = await clerk.act("park", **mine, reason="form", remind_min="5")
        told = "está aparcado desde las"
        assert told not in page
        clock.advance(minutes=4, seconds=50)
        assert 'data-refresh-s="11"' in await clerk.page(), "the page looks again by itself when it becomes due"
        clock.advance(seconds=10)
        assert f"B1 {told} 9:00: Rellena un impreso." in await clerk.page()
        assert told not in await boss.page()
        clock.advance(minutes=5)
        assert "B1, aparcado por Clerk-1 desde las 9:00: Rellena un impreso." in await boss.page()
        assert "B1, aparcado por" not in await other.page()
        await boss.act("resume", ticket_id=mine["ticket_id"])
        assert told not in await clerk.page()


async def test_who_was_parked_for_some_minutes_comes_back_and_their_clerk_reads_it(tmp_path: Path) -> None:
    clock = ManualClock()
    async with (
        console(tmp_path / "edge", clock=clock) as served,
        clerk_at(served, "clerk-1", "4") as clerk,
        clerk_at(served, "clerk-2", "5") as other,
    ):
        mine = await called(served, clerk, counter="4")
        page = await clerk.act("park", **mine, reason="payment", then="return:20", here="/?panel=park")
        assert "B1 aparcado" in page
        assert "vuelve a las 9:20" in page
        for minutes, seconds in ((9, 0), (9, 0), (1, 50)):  # nobody is away for so long that the screen locks
            clock.advance(minutes=minutes, seconds=seconds)
            assert "vuelve a las 9:20" in await clerk.page()
            await other.page()
        await served.node.timekeeper.return_parked()
        assert served.tickets("parked") == ["B1"]
        clock.advance(seconds=10)
        await served.node.timekeeper.return_parked()
        assert served.tickets("waiting") == ["B1"]
        told, page = "B1 vuelve a esperar desde las 9:20, en su sitio", await clerk.page()
        assert told in page
        assert "derivado" not in page, "nobody has sent them on"
        assert told not in await other.page()
        assert "Vuelve a la cola a su hora" in await clerk.page(f"/day?ticket={mine['ticket_id']}")
        clock.advance(minutes=5)
        assert told not in await clerk.page()
        await served.node.timekeeper.return_parked()
        (back,) = [t for t in served.node.dispatcher.state.day.tickets.values() if t.label == "B1"]
        assert back.due_at == back.arrived_at, "the place of their waiting"


async def test_who_has_left_waits_no_more(served: Console, clerk: Clerk) -> None:
    waiting = await served.walk_in()
    assert "Se ha ido" in await clerk.page(f"/?panel=call&ticket={waiting.ticket_id}")
    page = await clerk.act("leave", session=session(served), ticket_id=waiting.ticket_id)
    assert "B1 se ha ido" in page
    assert served.tickets("abandoned") == ["B1"]
    assert "Deshacer: B1 se ha ido" in page
    act = served.node.dispatcher.state.day.sessions[session(served)].act
    assert act is not None
    assert "B1: deshecho" in await clerk.act("undo", session=session(served), act=act.request_id)
    assert served.tickets("waiting") == ["B1"]


@pytest.mark.parametrize("step_s", [-3600, 600], ids=["an hour back", "ten minutes ahead"])
async def test_a_clock_that_is_set_in_mid_visit_changes_nothing_but_the_hour(tmp_path: Path, step_s: int) -> None:
    clock = ManualClock()
    async with console(tmp_path / "edge", clock=clock) as served, clerk_at(served, "clerk-1", "4") as clerk:
        mine = await called(served, clerk)
        waiting = await served.walk_in()
        clock.advance(minutes=4)
        before = await clerk.page()
        assert 'data-since-s="240"' in before
        clock.step(seconds=step_s)
        await served.node.timekeeper.check_clock()
        after = await clerk.page()
        assert 'data-since-s="240"' in after
        page = await clerk.act("call_next", session=mine["session"], after=seen(served, mine["session"]))
        assert "B1 finalizado (resuelto). Llamado B2" in page
        assert served.tickets("called") == ["B2"]
        assert "Espere 20 segundos para repetir la llamada." in await clerk.act(
            "recall", session=mine["session"], ticket_id=waiting.ticket_id
        )


async def test_what_could_be_undone_before_a_clock_was_set_is_refused_in_words(tmp_path: Path) -> None:
    clock = ManualClock()
    async with console(tmp_path / "edge", clock=clock) as served, clerk_at(served, "clerk-1", "4") as clerk:
        mine = await called(served, clerk)
        act = served.node.dispatcher.state.day.sessions[mine["session"]].act
        assert act is not None
        clock.step(seconds=-3600)
        await served.node.timekeeper.check_clock()
        assert "Deshacer" not in await clerk.page()
        page = await clerk.act("undo", session=mine["session"], act=act.request_id)
        assert "El puesto ya había avanzado: este es su estado actual." in page
        assert served.tickets("serving") == ["B1"]


async def test_a_leave_pressed_three_times_is_one_and_an_old_page_takes_nothing_back(
    served: Console, clerk: Clerk
) -> None:
    waiting = await served.walk_in()
    about = {"session": session(served), "ticket_id": waiting.ticket_id}
    again = new_id()
    for _ in range(3):
        assert "B1 se ha ido" in await clerk.act("leave", **about, request_id=again)
    assert served.facts("ticket.abandoned") == 1
    act = served.node.dispatcher.state.day.sessions[session(served)].act
    assert act is not None
    for _ in range(3):
        await clerk.act("undo", session=session(served), act=act.request_id)
    assert served.facts("ticket.undone") == 1
    assert served.tickets("waiting") == ["B1"]


async def test_who_asks_why_it_is_not_their_turn_is_told_their_place_and_its_reason(
    served: Console, clerk: Clerk
) -> None:
    first, _, third = [await served.walk_in() for _ in range(3)]
    for panel in ("ticket", "call"):
        page = await clerk.page(f"/?panel={panel}&ticket={third.ticket_id}")
        assert "Delante: 2 personas. Su sitio: sin cita, espera desde las " in page
    assert "Delante: 0 personas." in await clerk.page(f"/?panel=ticket&ticket={first.ticket_id}")
    await clerk.act("park", session=session(served), ticket_id=first.ticket_id, reason="form")
    assert "Delante:" not in await clerk.page(f"/?panel=ticket&ticket={first.ticket_id}")
