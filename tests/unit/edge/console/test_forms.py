"""From forms and addresses to what is meant; what is amiss; what the page's script listens to."""

import re
from pathlib import Path
from typing import Any

import pytest

import edge_node.console
from edge_node.console import notices
from edge_node.console.acts import body_of, fields_of
from edge_node.console.desks_view import ServiceChoice
from edge_node.console.panels import Panel, default_service
from edge_node.uplink.link import LinkState
from sync.domain.names import initials
from sync.messages.fact_types import FACTS
from sync.messages.topics import DeviceStatus, HeldNumbers
from ui.catalog import load_catalog

STATIC = Path(edge_node.console.__file__).parent / "static"


@pytest.mark.parametrize(
    "pairs, fields",
    [
        ([("_csrf_token", "x"), ("here", "/"), ("request_id", "1"), ("after", "")], {"request_id": "1"}),
        ([("target", "service:padron")], {"service": "padron"}),
        ([("target", "counter:3")], {"counter": "3"}),
        ([("target", "office:real")], {"target": "real"}),
        ([("primary", "a"), ("primary", "b"), ("secondary", "c")], {"primary": ["a", "b"], "secondary": ["c"]}),
        ([("service", " padron ")], {"service": "padron"}),
        ([("target", "staff_id:ana")], {"staff_id": "ana"}),
        ([("target", "zone:b")], {"zone": "b"}),
        ([("needs", "signs"), ("needs", "quiet")], {"needs": ["signs", "quiet"]}),
        ([("note", "  two \r\n lines\t")], {"note": "two lines"}),
        ([("file", object())], {}),
        ([(str(n), "x") for n in range(1000)], {str(n): "x" for n in range(60)}),
    ],
)
def test_a_form_becomes_fields(pairs: list[tuple[str, Any]], fields: dict[str, Any]) -> None:
    assert fields_of(pairs) == fields


@pytest.mark.parametrize(
    "verb, fields, body",
    [
        ("print_again", {"request_id": "1", "ticket_id": "2"}, {"ticket_id": "2"}),
        ("take_ticket", {"service": "a", "session": "s", "after": "t"}, {"service": "a"}),
        ("serve_walk_in", {"service": "a", "session": "s"}, {"service": "a", "session": "s"}),
        (
            "take_ticket",
            {"service": "a", "priority_class": "general", "basis": "seen"},
            {"service": "a", "priority_class": "general"},
        ),
        ("take_ticket", {"priority_class": "vip", "basis": "seen"}, {"priority_class": "vip", "basis": "seen"}),
        ("set_needs", {"ticket_id": "2"}, {"ticket_id": "2", "needs": []}),
        ("set_needs", {"needs": ["signs"], "speaks": "speaks_ar"}, {"needs": ["signs", "speaks_ar"]}),
        ("park", {"remind_min": "10", "back_to_me": "yes"}, {"remind_min": 10, "back_to_me": True}),
        ("park", {"remind_min": "soon"}, {"remind_min": "soon", "back_to_me": False}),
        ("park", {"return_min": "20"}, {"return_min": 20, "back_to_me": False}),
    ],
)
def test_fields_become_the_body_of_a_verb(verb: str, fields: dict[str, Any], body: dict[str, Any]) -> None:
    assert body_of(verb, fields) == body


@pytest.mark.parametrize(
    "remembered, own, chosen",
    [("c", ("a",), "c"), ("gone", ("a",), "a"), ("", ("b", "a"), "a"), ("", (), ""), ("b", ("c",), "c")],
)
def test_the_service_that_comes_first_is_one_that_is_offered(
    remembered: str, own: tuple[str, ...], chosen: str
) -> None:
    services = [ServiceChoice(id=each, name=each, walk_in=each != "b") for each in ("a", "b", "c")]
    assert default_service(remembered, own, services) == chosen


@pytest.mark.parametrize(
    "address, panel, back",
    [
        ("/", Panel(), "/"),
        ("/?panel=give", Panel("give"), "/?panel=give"),
        ("/?panel=given&ticket=abc", Panel("given", "abc"), "/?panel=given&ticket=abc"),
        ("/?panel=nonsense&ticket=abc", Panel(), "/"),
        ("https://elsewhere.example/?panel=call", Panel("call"), "/?panel=call"),
        ("//elsewhere.example", Panel(), "/"),
    ],
)
def test_an_address_is_one_of_ours_whatever_was_sent(address: str, panel: Panel, back: str) -> None:
    assert Panel.at(address) == panel
    assert Panel.at(address).address == back


@pytest.mark.parametrize("name, short", [("Fátima M.", "F. M."), ("ana", "A."), ("", ""), ("Mª José (hija)", "M. J.")])
def test_initials_are_no_name(name: str, short: str) -> None:
    assert initials(name) == short


@pytest.mark.parametrize(
    "link, key",
    [
        (None, ""),
        (LinkState(connected=True, pending_facts=3), ""),
        (LinkState(connected=True, pending_facts=300), "console.news.sending"),
        (LinkState(connected=False, pending_facts=0), "console.news.offline"),
        (LinkState(connected=True, report_due=True), "console.news.reporting"),
        (LinkState(connected=True, report_due=True, fenced_by=2), ""),
    ],
)
def test_the_link_is_told_of_only_when_it_matters(link: LinkState | None, key: str) -> None:
    assert notices.link_key(link) == key


def test_devices_that_need_somebody_are_told_of() -> None:
    devices = [
        DeviceStatus(device="kiosk-1", kind="kiosk", online=True, printer="ok"),
        DeviceStatus(device="kiosk-2", kind="kiosk", online=True, printer="no_paper"),
        DeviceStatus(device="kiosk-3", kind="kiosk", online=True, printer="near_end"),
        DeviceStatus(device="kiosk-4", kind="kiosk", online=True, printer="offline"),
        DeviceStatus(device="kiosk-5", kind="kiosk", online=False),
        DeviceStatus(device="display-1", kind="display", online=False),
        DeviceStatus(device="display-2", kind="display", online=True),
    ]
    texts = [notice.text for notice in notices.of_devices(devices, load_catalog(strict=True).words("es"))]
    named = [re.findall(r"(?:kiosk|display)-\d", text) for text in texts]
    assert named == [["kiosk-2"], ["kiosk-3"], ["kiosk-4"], ["kiosk-5"], ["display-1"]]
    assert len(set(texts)) == 5


def test_tickets_that_a_kiosk_gave_and_no_queue_has_are_told_of() -> None:
    numbers = HeldNumbers(untold=2, refused=("Y3", "Y4"))
    device = DeviceStatus(device="kiosk-1", kind="kiosk", online=True, printer="ok", numbers=numbers)
    told = notices.of_devices([device], load_catalog(strict=True).words("es"))
    assert [notice.kind for notice in told] == ["plain", "late"]
    assert "2" in told[0].text
    assert "Y3, Y4" in told[1].text


def test_the_script_listens_to_every_fact() -> None:
    source = (STATIC / "stream.js").read_text(encoding="utf-8")
    heard = set(re.findall(r'"([a-z_.]+)"', source.split("EVENTS = [")[1].split("]")[0]))
    assert heard == set(FACTS) | {"reset", "beat", "bye", "devices", "link", "agenda", "waits", "disk", "broadcast"}
