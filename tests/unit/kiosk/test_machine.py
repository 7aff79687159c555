"""The screen's state machine: tables walked with values, no clock, no network."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from kiosk_agent.machine import Effect, Event, Give, Kiosk, LeaveUnprinted, Offer, Print, Send, resume, step, timing
from kiosk_agent.machine import events as e
from kiosk_agent.machine import screens as s
from kiosk_agent.requests import ATTEMPT_S, ATTEMPTS
from sync.messages.refusals import Refusal, RefusalCode
from sync.messages.topics import KioskCheckIn, KioskReply, KioskReprint, KioskTakeTicket, Slip, WaitRange
from tests.unit.kiosk.slips import SLIP

ID, OTHER = "01900000-0000-7000-8000-0000000000a1", "01900000-0000-7000-8000-0000000000a2"
READY = Kiosk(
    services=tuple(f"s{n}" for n in range(8)), unsure="info", languages=("es", "en", "fr", "ar"), edge_heard=True
)


def walk(kiosk: Kiosk, *events: Event, at: float = 1.0) -> tuple[Kiosk, list[Effect]]:
    """What events in a row lead to, a second apart."""
    effects: list[Effect] = []
    for number, event in enumerate(events):
        after = step(kiosk, event, now_s=at + number, device="kiosk-1")
        kiosk = after.kiosk
        effects += after.effects
    return kiosk, effects


def on(screen: s.AnyScreen, **changes: object) -> Kiosk:
    return msgspec.structs.replace(READY, screen=screen, **changes)


def reply(slip: Slip | None = SLIP, code: RefusalCode | None = None, **more: object) -> KioskReply:
    refusal = Refusal(code=code, **more) if code else None  # type: ignore[arg-type]
    return KioskReply(request_id=ID, slip=slip, refusal=refusal)


def test_a_walk_in_takes_three_touches() -> None:
    kiosk, effects = walk(READY, e.WithoutAppointment(), e.ChooseService("s1"), e.TakeTicket(ID))
    assert kiosk.screen == s.Asking(ID, "ticket")
    assert effects == [Send(KioskTakeTicket(request_id=ID, device="kiosk-1", service="s1", language="es"))]


def test_a_scan_asks_from_the_first_screen() -> None:
    kiosk, effects = walk(READY, e.ChooseLanguage("ar"), e.Scanned("V1.x", ID))
    assert kiosk.screen == s.Asking(ID, "check_in")
    assert effects == [Send(KioskCheckIn(request_id=ID, device="kiosk-1", scanned="V1.x", language="ar"))]


def test_a_typed_code_has_only_its_own_letters_and_is_sent_when_complete() -> None:
    letters = [e.TypeLetter(letter) for letter in "k7o5m4Qx9"]  # o and 5 are no letters of a locator; x is the last
    kiosk, effects = walk(READY, e.WithAppointment(), *letters[:4], e.SendCode(ID))
    assert (kiosk.screen, effects) == (s.EnterCode("K7"), [])
    kiosk, effects = walk(kiosk, *letters[4:], e.SendCode(ID))
    assert effects == [
        Send(KioskCheckIn(request_id=ID, device="kiosk-1", locator="K7M4QX", language="es", language_chosen=False))
    ]


def test_erasing_takes_one_letter() -> None:
    assert walk(on(s.EnterCode("K7")), e.EraseLetter())[0].screen == s.EnterCode("K")
    assert walk(on(s.EnterCode()), e.EraseLetter())[0].screen == s.EnterCode()


def test_services_come_in_pages_of_six() -> None:
    kiosk, _ = walk(READY, e.WithoutAppointment(), e.MoreServices())
    assert kiosk.screen == s.Services(1)
    assert walk(kiosk, e.MoreServices())[0].screen == s.Services(1)
    assert walk(kiosk, e.Back())[0].screen == s.Services(0)
    assert walk(kiosk, e.ChooseService("s7"), e.Back())[0].screen == s.Services(1)
    assert walk(kiosk, e.ChooseService("info"))[0].screen == s.Confirm("info", 1)
    assert walk(kiosk, e.ChooseService("unheard-of"))[0].screen == s.Services(1)


@pytest.mark.parametrize("asked, reprint", [("check_in", False), ("reprint", True)])
def test_a_slip_is_in_the_bookings_language_unless_another_was_chosen_here(asked: s.Asked, reprint: bool) -> None:
    arabic, answer = msgspec.structs.replace(SLIP, language="ar"), reply(msgspec.structs.replace(SLIP, language="ar"))
    _, effects = walk(on(s.Asking(ID, asked)), e.Replied(answer, asked))
    assert effects == [Print(ID, arabic, reprint=reprint)]
    _, effects = walk(on(s.Asking(ID, asked)), e.ChooseLanguage("es"), e.Replied(answer, asked))
    assert effects == [Print(ID, msgspec.structs.replace(SLIP, language="es"), reprint=reprint)]


@pytest.mark.parametrize("refused", [None, "already_checked_in"])
def test_the_screen_speaks_a_bookings_language_until_it_is_back_at_its_beginning(refused: RefusalCode | None) -> None:
    answer = e.Replied(reply(msgspec.structs.replace(SLIP, language="ar"), refused), "check_in")
    shown, _ = walk(READY, e.Scanned("V1.x", ID), answer)
    assert (shown.language, shown.language_chosen) == ("ar", False)
    assert walk(shown, e.Back())[0].language == "es"
    assert walk(shown, e.Tick(), at=200.0)[0].language == "es"
    assert walk(READY, e.ChooseLanguage("fr"), e.Scanned("V1.x", ID), answer)[0].language == "fr"


def test_the_screen_does_not_speak_a_language_that_it_does_not_offer() -> None:
    answer = e.Replied(reply(msgspec.structs.replace(SLIP, language="ar")), "check_in")
    spanish = msgspec.structs.replace(READY, languages=("es", "en"))
    assert walk(spanish, e.Scanned("V1.x", ID), answer)[0].language == "es"


def test_a_choice_of_language_goes_with_the_request_and_ends_with_the_session() -> None:
    _, effects = walk(READY, e.Scanned("V1.x", ID))
    assert effects == [
        Send(KioskCheckIn(request_id=ID, device="kiosk-1", scanned="V1.x", language="es", language_chosen=False))
    ]
    chosen, _ = walk(READY, e.ChooseLanguage("es"))
    assert walk(chosen, e.Scanned("V1.x", ID))[1] == [
        Send(KioskCheckIn(request_id=ID, device="kiosk-1", scanned="V1.x", language="es", language_chosen=True))
    ]
    assert not chosen.untouched, "the next person has not chosen it"
    assert walk(chosen, e.Tick(), at=70.0)[0] == msgspec.structs.replace(READY, touched_at_s=chosen.touched_at_s)
    assert not walk(chosen, e.StartOver())[0].language_chosen


@pytest.mark.parametrize(
    "event",
    [e.TakeTicket(OTHER), e.SendCode(OTHER), e.Back(), e.StartOver(), e.Scanned("V1.x", OTHER), e.TypeLetter("A")],
    ids=lambda event: type(event).__name__,
)
def test_nothing_disturbs_a_request_under_way(event: Event) -> None:
    asking = on(s.Asking(ID, "ticket"))
    kiosk, effects = walk(asking, event)
    assert (kiosk.screen, effects) == (asking.screen, [])


def test_a_slip_is_printed_once_and_shown() -> None:
    kiosk, effects = walk(on(s.Asking(ID, "ticket")), e.Replied(reply(), "ticket"), e.Replied(reply(), "ticket"))
    assert kiosk.screen == s.Ticket(SLIP)
    assert effects[:1] == [Print(ID, SLIP)]
    assert Print(ID, SLIP) not in effects[1:]


def test_a_reprint_speaks_the_persons_language_and_says_that_it_is_one() -> None:
    asking = on(s.Asking(ID, "reprint"), language="fr", language_chosen=True)
    kiosk, effects = walk(asking, e.Replied(reply(), "reprint"))
    french = msgspec.structs.replace(SLIP, language="fr")
    assert kiosk.screen == s.Ticket(french, reprint=True)
    assert effects == [Print(ID, french, reprint=True)]


@pytest.mark.parametrize(
    "code, trouble",
    [
        ("booking_unknown", "unknown"),
        ("malformed", "unread"),
        ("bad_signature", "forged"),
        ("wrong_office", "wrong_office"),
        ("wrong_day", "wrong_day"),
        ("cancelled", "cancelled"),
        ("moved", "moved"),
        ("ask_for_help", "help"),
        ("day_closed", "closed"),
        ("no_authority", "stopped"),
        ("date_unconfirmed", "stopped"),
        ("disk_full", "stopped"),
        ("walk_in_not_allowed", "by_appointment"),
        ("service_unknown", "desk"),
        ("series_exhausted", "desk"),
        ("retry", "desk"),
        ("already_checked_in", "desk"),
    ],
)
def test_every_refusal_has_its_screen(code: RefusalCode, trouble: s.Trouble) -> None:
    answer = reply(None, code, office="centro", service_date="2026-12-01")
    kiosk, effects = walk(on(s.Asking(ID, "check_in")), e.Replied(answer, "check_in"))
    assert (kiosk.screen, effects) == (s.Problem(trouble, office="centro", service_date="2026-12-01"), [])


def test_already_in_offers_the_same_slip_again() -> None:
    answer = reply(SLIP, "already_checked_in", ticket_id=SLIP.ticket_id)
    kiosk, effects = walk(on(s.Asking(ID, "check_in")), e.Replied(answer, "check_in"))
    assert (kiosk.screen, effects) == (s.AlreadyIn(SLIP), [])
    kiosk, effects = walk(kiosk, e.AskReprint(OTHER))
    assert effects == [Send(KioskReprint(request_id=OTHER, device="kiosk-1", ticket_id=SLIP.ticket_id))]


def test_a_called_appointment_is_shown_with_its_counter() -> None:
    answer = reply(SLIP, "already_checked_in", ticket_id=SLIP.ticket_id)
    answer = msgspec.structs.replace(answer, counter="4", is_served=True)
    kiosk, _ = walk(on(s.Asking(ID, "check_in")), e.Replied(answer, "check_in"))
    assert kiosk.screen == s.AlreadyIn(SLIP, "4", is_served=True)


@pytest.mark.parametrize("visit", ["missed", "finished"])
def test_an_appointment_whose_ticket_waits_no_more_is_not_in_the_list(visit: s.Trouble) -> None:
    answer = msgspec.structs.replace(reply(None, "already_checked_in", ticket_id=SLIP.ticket_id), visit=visit)
    kiosk, effects = walk(on(s.Asking(ID, "check_in")), e.Replied(answer, "check_in"))
    assert (kiosk.screen, effects) == (s.Problem(visit), [])


def test_without_answer_the_counter_helps_and_a_late_one_counts_while_the_person_is_there() -> None:
    kiosk, _ = walk(on(s.Asking(ID, "ticket")), e.NoReply(ID))
    assert kiosk.screen == s.Problem("desk", request_id=ID)
    there, printed = walk(kiosk, e.Replied(reply(), "ticket"))
    assert (type(there.screen), printed) == (s.Ticket, [Print(ID, SLIP)])
    gone, left = walk(kiosk, e.StartOver(), e.Replied(reply(), "ticket"))
    assert (gone.screen, left) == (s.Home(), [LeaveUnprinted(SLIP.ticket_id, ID)])


def test_a_late_refusal_or_reprint_for_somebody_who_has_gone_says_nothing() -> None:
    refused = e.Replied(reply(SLIP, "already_checked_in"), "check_in")
    assert walk(READY, refused, e.Replied(reply(), "reprint"), e.NoReply(ID)) == (READY, [])


def test_the_printers_outcome_belongs_to_its_ticket() -> None:
    shown = on(s.Ticket(SLIP))
    assert walk(shown, e.PrintEnded(OTHER, "no_paper"))[0].screen == shown.screen
    assert walk(shown, e.PrintEnded(SLIP.ticket_id, "no_paper"), at=7.0)[0].screen == s.Ticket(
        SLIP, "no_paper", settled_at_s=7.0
    )


def test_the_next_person_may_scan_over_a_finished_ticket_but_not_over_one_that_prints() -> None:
    printing, done = s.Ticket(SLIP), s.Ticket(SLIP, "printed", settled_at_s=1.0)
    scan = e.Scanned("V1.x", ID)
    assert walk(on(printing), scan)[0].screen == printing
    after, _ = walk(on(done, language="ar"), scan)
    assert (after.screen, after.language) == (s.Asking(ID, "check_in"), "es")


def test_the_end_of_a_session_wipes_language_comfort_and_code() -> None:
    kiosk, _ = walk(
        READY, e.ChooseLanguage("ar"), e.SwitchComfort("large_text"), e.WithAppointment(), e.TypeLetter("K")
    )
    assert (kiosk.language, kiosk.comfort.large_text, kiosk.screen) == ("ar", True, s.EnterCode("K"))
    wiped, _ = walk(kiosk, e.StartOver())
    assert (wiped.language, wiped.comfort, wiped.screen) == ("es", s.Comfort(), s.Home())


def test_a_language_that_is_not_offered_changes_nothing() -> None:
    assert walk(READY, e.ChooseLanguage("tr"))[0].language == "es"


def test_config_that_takes_the_chosen_service_away_leads_back_to_the_list() -> None:
    config = e.Configured(("s0",), ("es",), None)
    assert walk(on(s.Confirm("s1")), config)[0].screen == s.Services()
    assert walk(on(s.Services(1)), config)[0].screen == s.Services()
    assert walk(on(s.Confirm("s0")), config)[0].screen == s.Confirm("s0")


@pytest.mark.parametrize("comfort, factor", [(s.Comfort(), 1), (s.Comfort(large_text=True), 2)])
def test_idle_warns_then_counts_down_then_wipes(comfort: s.Comfort, factor: int) -> None:
    kiosk = on(s.EnterCode("K7"), touched_at_s=100.0, comfort=comfort)
    assert not timing.warns(kiosk, 100 + 44 * factor)
    assert (timing.warns(kiosk, 100 + 45 * factor), timing.seconds_left(kiosk, 100 + 45 * factor)) == (
        True,
        20 * factor,
    )
    assert walk(kiosk, e.Tick(), at=100 + 64.9 * factor)[0].screen == s.EnterCode("K7")
    assert walk(kiosk, e.Tick(), at=100 + 65.0 * factor)[0].screen == s.Home()


def test_one_touch_extends_as_often_as_one_likes() -> None:
    kiosk = on(s.EnterCode("K7"), touched_at_s=0.0)
    for turn in range(1, 13):
        kiosk, _ = walk(kiosk, e.Stay(), at=turn * 60.0)
        assert not timing.warns(kiosk, turn * 60.0 + 1)
    assert kiosk.screen == s.EnterCode("K7")


def test_an_untouched_first_screen_never_ends_and_a_changed_one_does() -> None:
    assert timing.ends_at_s(READY) is None
    assert timing.ends_at_s(on(s.Home(), language="ar", language_chosen=True, touched_at_s=10.0)) == 75.0


@pytest.mark.parametrize("paper, stays", [("printed", 8.0), ("no_paper", 30.0), ("offline", 30.0)])
def test_a_ticket_stays_its_time_and_is_counted_down(paper: s.Paper, stays: float) -> None:
    kiosk = on(s.Ticket(SLIP, paper, settled_at_s=100.0), touched_at_s=90.0, shown_at_s=99.0)
    assert timing.seconds_left(kiosk, 100.0) == stays
    assert not timing.warns(kiosk, 100.0)
    assert walk(kiosk, e.Tick(), at=100.0 + stays)[0].screen == s.Home()


def test_a_printer_that_never_answers_does_not_hold_the_screen_for_ever() -> None:
    kiosk = on(s.Ticket(SLIP), shown_at_s=100.0)
    assert timing.seconds_left(kiosk, 110.0) is None
    assert walk(kiosk, e.Tick(), at=149.0)[0].screen == s.Ticket(SLIP)
    assert walk(kiosk, e.Tick(), at=150.0)[0].screen == s.Home()


def test_a_wait_for_an_answer_ends_a_little_after_the_retries_and_asks_nobody_whether_they_are_there() -> None:
    asking = on(s.Asking(ID, "ticket"), shown_at_s=10.0, touched_at_s=10.0)
    retries_end_s = 10.0 + ATTEMPTS * ATTEMPT_S
    assert walk(asking, e.Tick(), at=retries_end_s)[0].screen == asking.screen
    assert timing.seconds_left(asking, retries_end_s) is None
    assert not timing.warns(asking, retries_end_s)
    given_up, effects = walk(asking, e.Tick(), at=10.0 + timing.ASKING_MAX_S)
    assert (given_up.screen, effects) == (s.Problem("desk", request_id=ID), [])
    assert walk(given_up, e.Replied(reply(), "ticket"))[0].screen == s.Ticket(SLIP)


def test_a_request_of_an_earlier_life_is_taken_up_in_its_language() -> None:
    command = KioskTakeTicket(request_id=ID, device="kiosk-1", service="s1", language="ar")
    after = resume(READY, command, now_s=5.0)
    assert (after.kiosk.screen, after.kiosk.language) == (s.Asking(ID, "ticket"), "ar")
    assert after.effects == (Send(command),)
    scanned = KioskCheckIn(request_id=ID, device="kiosk-1", scanned="V1.x", language="es", language_chosen=False)
    assert not resume(READY, scanned, now_s=5.0).kiosk.language_chosen


def test_every_screen_of_the_table_can_be_left() -> None:
    slip = msgspec.structs.replace(SLIP, wait=WaitRange(low_min=0, high_min=5))
    for screen in (
        s.Services(1),
        s.Confirm("s1"),
        s.EnterCode("K"),
        s.AlreadyIn(slip),
        s.Problem("unknown"),
        s.Ticket(slip),
    ):
        kiosk, _ = walk(on(screen), e.StartOver())
        assert kiosk.screen == s.Home()


OFFER = Offer(
    telling_id=OTHER,
    service_date=date(2026, 11, 26),
    series="Y",
    number=7,
    follow_code=bytes(16),
    issued_at=datetime(2026, 11, 26, 9, tzinfo=UTC),
    office_name="Real",
    names={"s1": {"es": "Padrón"}},
    zones={"s1": "b"},
    public_url="https://citas.example",
)
ALONE = msgspec.structs.replace(READY, edge_heard=False, reserve="ready")


def test_without_the_edge_a_ticket_comes_out_of_the_reserve_at_once() -> None:
    walked = (e.ChooseLanguage("fr"), e.WithoutAppointment(), e.ChooseService("s1"), e.TakeTicket(ID, OFFER))
    kiosk, effects = walk(ALONE, *walked)
    (give,) = effects
    assert isinstance(give, Give)
    assert kiosk.screen == s.Ticket(give.slip)
    slip = give.slip
    assert (slip.ticket_id, slip.label, slip.zone, slip.language, slip.reserve) == (ID, "Y7", "b", "fr", True)
    assert slip.follow_url == "https://citas.example/t/AAAAAAAAAAAAAAAAAAAAAA"
    told = give.told
    assert (told.request_id, told.ticket_id, told.service, told.series, told.number) == (OTHER, ID, "s1", "Y", 7)


def test_while_the_edge_is_heard_it_is_asked_and_its_silence_ends_in_the_reserve_under_the_same_id() -> None:
    kiosk, effects = walk(on(s.Confirm("s1")), e.TakeTicket(ID, OFFER))
    (send,) = effects
    assert isinstance(send, Send)
    kiosk, effects = walk(kiosk, e.NoReply(ID, send.command, OFFER), e.NoReply(ID, send.command, OFFER))
    assert [type(effect) for effect in effects] == [Give]
    assert isinstance(kiosk.screen, s.Ticket)
    assert kiosk.screen.slip.ticket_id == ID


@pytest.mark.parametrize(
    "offer", [None, msgspec.structs.replace(OFFER, names={}, zones={})], ids=["no number", "service no longer offered"]
)
def test_without_a_number_the_counter_gives_the_ticket(offer: Offer | None) -> None:
    command = KioskTakeTicket(request_id=ID, device="kiosk-1", service="s1")
    kiosk, effects = walk(on(s.Asking(ID, "ticket")), e.NoReply(ID, command, offer))
    assert (kiosk.screen, effects) == (s.Problem("desk", request_id=ID), [])


@pytest.mark.parametrize("stands, trouble", [("ready", "unchecked"), ("used_up", "desk"), ("none", "desk")])
def test_an_appointment_is_not_looked_up_without_the_edge(stands: s.Stands, trouble: s.Trouble) -> None:
    command = KioskCheckIn(request_id=ID, device="kiosk-1", scanned="V1.x")
    asking = on(s.Asking(ID, "check_in"), reserve=stands)
    assert walk(asking, e.NoReply(ID, command, OFFER))[0].screen == s.Problem(trouble, request_id=ID)
