"""Events reach every page, sounds only one, and all streams end when the display does."""

import asyncio
from collections.abc import AsyncIterator

from display_agent.streams import MAILBOX_MAX, Event, Streams

HELLO, NEWS, SOUND = Event("view", "1"), Event("view", "2"), Event("sound", "{}")


def nothing() -> None:
    """Nobody asks."""


async def joined(streams: Streams) -> AsyncIterator[Event]:
    """A stream that has had its greeting."""
    stream = streams.events()
    assert await anext(stream) == HELLO
    return stream


async def rest(stream: AsyncIterator[Event]) -> list[Event]:
    async with asyncio.timeout(1):
        return [event async for event in stream]


async def test_every_page_gets_the_greeting_and_the_news_and_the_last_one_the_sound() -> None:
    streams = Streams(lambda: [HELLO], nothing)
    first, second = await joined(streams), await joined(streams)
    streams.send(NEWS)
    streams.send_to_speaker(SOUND)
    streams.close()
    assert await rest(first) == [NEWS]
    assert await rest(second) == [NEWS, SOUND]
    assert len(streams) == 0


async def test_a_page_that_does_not_read_is_sent_away() -> None:
    streams = Streams(lambda: [HELLO], nothing)
    lazy = await joined(streams)
    for _ in range(MAILBOX_MAX + 1):
        streams.send(NEWS)
    assert len(streams) == 0
    assert len(await rest(lazy)) == MAILBOX_MAX


async def test_a_page_that_comes_after_the_end_is_sent_away_at_once() -> None:
    streams = Streams(lambda: [HELLO], nothing)
    streams.close()
    assert await rest(streams.events()) == []


async def test_a_page_that_leaves_is_forgotten() -> None:
    streams = Streams(lambda: [HELLO], nothing)
    waiting = asyncio.create_task(rest(streams.events()))
    await asyncio.sleep(0)
    assert len(streams) == 1
    waiting.cancel()
    await asyncio.wait({waiting})
    assert len(streams) == 0


async def test_only_the_leave_of_the_page_that_speaks_is_told() -> None:
    told: list[str] = []
    streams = Streams(lambda: [HELLO], lambda: told.append("silence"))
    first, second = await joined(streams), await joined(streams)
    third = await joined(streams)
    await first.aclose()  # type: ignore[attr-defined]
    assert told == []
    await third.aclose()  # type: ignore[attr-defined]
    assert told == ["silence"]
    streams.send_to_speaker(SOUND)
    streams.close()
    assert await rest(second) == [SOUND]
