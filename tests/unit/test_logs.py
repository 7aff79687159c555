"""Logs: one line an event, the same form for our own and for libraries' lines."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from provisioning.logs import Format, configure


@pytest.fixture
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture
def out(restored: None) -> io.StringIO:
    return io.StringIO()


def lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_an_event_is_one_json_line_that_reads_from_left_to_right(out: io.StringIO) -> None:
    configure("edge_node", stream=out)
    structlog.get_logger().info("ticket.issued", office="centro", seq=17)
    (line,) = lines(out)
    assert list(line) == ["at", "level", "process", "event", "office", "seq"]
    assert str(line.pop("at")).endswith("Z")
    assert line == {
        "level": "info",
        "process": "edge_node",
        "event": "ticket.issued",
        "office": "centro",
        "seq": 17,
    }


def test_the_level_holds_for_structlog_and_logging(out: io.StringIO) -> None:
    configure("central", level="warning", stream=out)
    structlog.get_logger().info("too.quiet")
    logging.getLogger("some.library").info("too quiet")
    structlog.get_logger().warning("loud")
    assert [line["event"] for line in lines(out)] == ["loud"]


def test_a_library_line_has_the_same_form(out: io.StringIO) -> None:
    configure("central", stream=out)
    logging.getLogger("some.library").warning("lost %s", "link")
    logging.getLogger("httpx").info("one line per request")
    (line,) = lines(out)
    assert (line["event"], line["level"], line["process"]) == ("lost link", "warning", "central")


def test_bound_context_and_exceptions_come_along(out: io.StringIO) -> None:
    configure("central", stream=out)
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        try:
            raise ValueError("boom")
        except ValueError:
            structlog.get_logger().exception("request.failed", path=object)
    (line,) = lines(out)
    assert (line["request_id"], line["event"], line["level"]) == ("r1", "request.failed", "error")
    assert "ValueError" in str(line["exception"])


@pytest.mark.parametrize("form", ["json", "console"])
def test_an_exception_tells_where_and_never_what_the_variables_held(out: io.StringIO, form: Format) -> None:
    configure("central", form=form, stream=out)
    who = "Aisha Benali"
    try:
        raise ValueError("boom", len(who))
    except ValueError:
        structlog.get_logger().exception("request.failed")
        logging.getLogger("some.library").exception("it failed")
    assert out.getvalue().count("boom") >= 2
    assert "test_logs.py" in out.getvalue()
    assert who not in out.getvalue()


def test_the_row_that_a_database_quotes_stays_out(out: io.StringIO) -> None:
    configure("central", stream=out)
    try:
        raise ValueError("violates check\nDETAIL:  Failing row contains (Aisha Benali).")
    except ValueError:
        structlog.get_logger().exception("request.failed")
    assert "violates check" in out.getvalue()
    assert "Aisha" not in out.getvalue()


def test_console_form_is_for_people(out: io.StringIO) -> None:
    configure("kiosk_agent", form="console", stream=out)
    structlog.get_logger().info("printer.ready", dots=576)
    assert "printer.ready" in out.getvalue()
    assert "dots=576" in out.getvalue()
