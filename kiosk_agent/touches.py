"""What a button of the page says (``choose:padron``) as an event of the machine. Pure."""

from __future__ import annotations

from collections.abc import Callable

from kiosk_agent.machine import events as e

_PLAIN: dict[str, Callable[[], e.Touch]] = {
    "stay": e.Stay,
    "restart": e.StartOver,
    "back": e.Back,
    "with": e.WithAppointment,
    "without": e.WithoutAppointment,
    "more": e.MoreServices,
    "erase": e.EraseLetter,
}
_ASKING: dict[str, Callable[[str], e.Touch]] = {
    "take": e.TakeTicket,
    "send": e.SendCode,
    "reprint": e.AskReprint,
}
_ABOUT: dict[str, Callable[[str], e.Touch]] = {
    "choose": e.ChooseService,
    "letter": e.TypeLetter,
    "language": e.ChooseLanguage,
}
_COMFORT: dict[str, e.Touch] = {
    "large_text": e.SwitchComfort("large_text"),
    "contrast": e.SwitchComfort("contrast"),
    "low_screen": e.SwitchComfort("low_screen"),
}


def touch(said: str, request_id: str) -> e.Touch | None:
    """The event of a button; none when no button says so.

    Args:
        request_id: for the event, should it ask the edge.
    """
    verb, _, about = said.partition(":")
    if verb in _PLAIN and not about:
        return _PLAIN[verb]()
    if verb in _ASKING and not about:
        return _ASKING[verb](request_id)
    if verb in _ABOUT and about:
        return _ABOUT[verb](about)
    return _COMFORT.get(about) if verb == "comfort" else None
