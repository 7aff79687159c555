"""The chime is what the room needs: short, between 400 and 1500 Hz, two tones, no click, and not silent."""

from __future__ import annotations

import array
import io
import math
import wave

from display_agent.announce import announcement
from display_agent.voice import CHIME, RATE_HZ, Voice, chime

from .boards import call


def samples() -> array.array[int]:
    with wave.open(io.BytesIO(chime())) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE_HZ)
        return array.array("h", file.readframes(file.getnframes()))


def strength(part: array.array[int], frequency_hz: float) -> float:
    """Amplitude of one frequency (a single bin of the Fourier transform), 1 = full scale."""
    turn = 2 * math.pi * frequency_hz / RATE_HZ
    real = sum(value * math.cos(turn * n) for n, value in enumerate(part))
    imaginary = sum(value * math.sin(turn * n) for n, value in enumerate(part))
    return 2 * math.hypot(real, imaginary) / len(part) / 32_767


def test_the_chime_is_at_most_1_2_seconds_and_begins_and_ends_in_silence() -> None:
    wav = samples()
    assert len(wav) / RATE_HZ <= 1.2
    assert abs(wav[0]) < 200
    assert abs(wav[-1]) < 200
    assert 10_000 < max(map(abs, wav)) < 32_767


def test_the_first_tone_is_higher_than_the_second() -> None:
    wav = samples()
    first, second = wav[: int(0.3 * RATE_HZ)], wav[int(0.4 * RATE_HZ) : int(0.8 * RATE_HZ)]
    assert strength(first, 659.26) > 5 * strength(first, 523.25)
    assert strength(second, 523.25) > strength(second, 659.26)


def test_nothing_of_weight_lies_outside_400_to_1500_hz() -> None:
    wav = samples()
    within = max(strength(wav, hz) for hz in (523.25, 659.26))
    assert all(strength(wav, hz) < within / 20 for hz in (100, 200, 300, 1700, 2000, 3000, 5000))


def test_a_part_without_a_clip_leaves_the_chime() -> None:
    voice = Voice()
    assert voice.names(announcement(call(1, 0), "ar", short=False)) == (CHIME,)
    assert voice.names(announcement(call(1, 0, recalls=1), "ar", short=False)) == (CHIME, CHIME)


def test_speech_is_played_between_the_chimes_when_its_clip_is_there() -> None:
    voice = Voice()
    voice.clips["es/K1-4.wav"] = b"RIFF"
    assert voice.names(announcement(call(1, 0), "ar", short=False)) == (CHIME, "es/K1-4.wav")
