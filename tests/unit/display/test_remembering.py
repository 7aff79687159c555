"""How much is remembered."""

from __future__ import annotations

from display_agent.remembering import remember


def test_the_oldest_gives_way_and_a_known_key_keeps_its_place() -> None:
    kept: dict[str, int] = {}
    for n, key in enumerate(["a", "b", "a", "c"]):
        remember(kept, key, n, most=2)
    assert kept == {"b": 1, "c": 3}
