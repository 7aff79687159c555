"""A kiosk on its own, whatever is touched, answered, lost and started again: one request is one ticket, a label is given once."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk_agent.machine import Give, Kiosk, Offer, Print, Send, step
from kiosk_agent.machine import events as e
from sync.domain.reserve import next_reserved
from sync.messages.facts import ReserveGranted
from sync.messages.topics import KioskCommand, KioskReply, KioskTakeTicket
from tests.unit.kiosk.slips import SLIP

TODAY = date(2026, 11, 26)
BLOCK = ReserveGranted(device="k", service_date=TODAY, series="Y", first=1, last=5)
KNOWN = {"services": ("a", "b"), "languages": ("es", "ar")}
ACTS = ("choose", "take", "again", "silence", "reply", "late", "over", "restart", "heard", "unheard", "scan")


def identifier(number: int) -> str:
    return f"01900000-0000-7000-8000-{number:012x}"


class Shell:
    """What the agent does around the machine, without its disk: numbers are kept, requests are asked once and answered once."""

    def __init__(self) -> None:
        self.kiosk = Kiosk(**KNOWN, edge_heard=True)  # type: ignore[arg-type]
        self.given = 0
        self.ids = 0
        self.now_s = 0.0
        self.sent: dict[str, KioskCommand] = {}
        self.answered: set[str] = set()
        self.gives: list[Give] = []
        self.prints: list[str] = []

    def offer(self) -> Offer | None:
        number = next_reserved(BLOCK, self.given, TODAY)
        if number is None:
            return None
        names = {service: {"es": service} for service in ("a", "b")}
        return Offer(
            telling_id=identifier(10_000 + number),
            service_date=TODAY,
            series="Y",
            number=number,
            follow_code=bytes(16),
            issued_at=datetime(2026, 11, 26, 9, tzinfo=UTC),
            office_name="Centro",
            names=names,
            zones={"a": "a", "b": "b"},
            public_url="",
        )

    def new_id(self) -> str:
        self.ids += 1
        return identifier(self.ids)

    def handle(self, event: e.Event) -> None:
        self.now_s += 1
        after = step(self.kiosk, event, now_s=self.now_s, device="k")
        self.kiosk = after.kiosk
        for effect in after.effects:
            if isinstance(effect, Send):
                self.sent[effect.command.request_id] = effect.command
            elif isinstance(effect, Give):
                self.given = effect.told.number
                self.gives.append(effect)
            elif isinstance(effect, Print):
                self.prints.append(effect.job_id)

    def act(self, what: str) -> None:
        unanswered = [each for each in self.sent if each not in self.answered]
        match what:
            case "choose":
                self.handle(e.StartOver())
                self.handle(e.WithoutAppointment())
                self.handle(e.ChooseService("a"))
            case "take":
                self.handle(e.TakeTicket(self.new_id(), self.offer()))
            case "again":  # a double touch: each has an id of its own
                self.handle(e.TakeTicket(self.new_id(), self.offer()))
                self.handle(e.TakeTicket(self.new_id(), self.offer()))
            case "silence" if self.sent:
                request_id = list(self.sent)[-1]
                self.handle(e.NoReply(request_id, self.sent[request_id], self.offer()))
            case "reply" | "late" if unanswered:
                request_id = unanswered[-1 if what == "reply" else 0]
                self.answered.add(request_id)
                asked: str = "ticket" if isinstance(self.sent[request_id], KioskTakeTicket) else "check_in"
                self.handle(e.Replied(KioskReply(request_id=request_id, slip=SLIP), asked))  # type: ignore[arg-type]
            case "over":
                self.handle(e.StartOver())
            case "restart":
                self.kiosk = Kiosk(**KNOWN)  # type: ignore[arg-type]
            case "heard" | "unheard":
                self.handle(e.EdgeHeard(what == "heard"))
                ready = "ready" if self.offer() else "used_up"
                self.handle(e.ReserveStands("none" if what == "heard" else ready))  # type: ignore[arg-type]
            case "scan":
                self.handle(e.Scanned("V1.x", self.new_id()))
            case _:  # nobody has asked yet
                pass


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(ACTS), max_size=60))
def test_one_request_is_one_ticket_and_a_label_is_given_once(acts: list[str]) -> None:
    shell = Shell()
    for what in acts:
        shell.act(what)
    labels = [give.slip.label for give in shell.gives]
    tickets = [give.told.ticket_id for give in shell.gives] + shell.prints
    assert labels == [f"Y{number}" for number in range(1, len(labels) + 1)], "in order, none twice"
    assert len(labels) <= BLOCK.last
    assert len(set(tickets)) == len(tickets), "by the kiosk or by the edge, never by both"


def test_a_walk_through_the_reserve_happens_at_all() -> None:
    shell = Shell()
    for what in (
        "unheard",
        "walk",
        "choose",
        "take",
        "take",
        "again",
        "over",
        "heard",
        "walk",
        "choose",
        "take",
        "silence",
    ):
        shell.act(what)
    assert [give.slip.label for give in shell.gives] == ["Y1", "Y2"]
