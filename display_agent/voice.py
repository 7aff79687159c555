"""The sound of an announcement as clips that the page plays one after the other.

Clips are WAV bytes by name, served by the agent itself: nothing is fetched and no speech engine of the browser is used. The
chime is made here, at start. Speech is a clip by language, label and counter; a part without a clip falls away and the chime
remains, so that a call is never silent.

The chime: two tones a major third apart, as of a door bell, each with a fast attack and a soft decay and a little of its
octave. EN 301 549 and the room ask for 400-1500 Hz, where small loudspeakers and older ears are at their best.
"""

from __future__ import annotations

import array
import io
import math
import wave
from collections.abc import Iterable

from display_agent.announce import Announcement, Chime, Part

CHIME = "chime.wav"
RATE_HZ = 44_100
HIGH_HZ, LOW_HZ = 659.26, 523.25  # E5, C5
SECOND_TONE_AFTER_S = 0.32
LENGTH_S = 1.1
ATTACK_S = 0.008
DECAY_S = 0.28
LEVEL = 0.7


class Voice:
    """All clips of this start, by name."""

    def __init__(self) -> None:
        self.clips: dict[str, bytes] = {CHIME: chime()}

    def names(self, announcement: Announcement) -> tuple[str, ...]:
        """The clips of an announcement in the order of its parts, those that are there."""
        return tuple(name for name in map(_clip_name, announcement.parts) if name in self.clips)


def chime() -> bytes:
    """The two-tone chime as mono 16-bit WAV, LENGTH_S long."""
    samples = array.array("h", (round(32_767 * value) for value in _tones()))
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    return out.getvalue()


def _clip_name(part: Part) -> str:
    return CHIME if isinstance(part, Chime) else f"{part.language}/{part.label}-{part.counter}.wav"


def _tones() -> Iterable[float]:
    for n in range(round(LENGTH_S * RATE_HZ)):
        at_s = n / RATE_HZ
        yield LEVEL * 0.5 * (_tone(HIGH_HZ, at_s) + _tone(LOW_HZ, at_s - SECOND_TONE_AFTER_S)) * _fade(at_s)


def _tone(frequency_hz: float, at_s: float) -> float:
    if at_s < 0:
        return 0.0
    swell = min(at_s / ATTACK_S, 1.0) * math.exp(-at_s / DECAY_S)
    turn = 2 * math.pi * frequency_hz * at_s
    return swell * (0.85 * math.sin(turn) + 0.15 * math.sin(2 * turn))


def _fade(at_s: float) -> float:
    """Down to silence over the last 50 ms, so that the end does not click."""
    return min(1.0, (LENGTH_S - at_s) / 0.05)
