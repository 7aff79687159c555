"""Labels: ``[A-Z][1-9][0-9]{0,2}``, dense per series and day, printed and spoken as they are.

A series that has reached 999 goes on with the office's spare letter.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

LAST_NUMBER = 999


class NextLabel(msgspec.Struct, frozen=True):
    series: str
    number: int

    @property
    def label(self) -> str:
        return f"{self.series}{self.number}"


def next_label(
    series: str, spare: str, last_numbers: Mapping[str, int], kept: Collection[str] = ()
) -> NextLabel | None:
    """The next label of a series; none when the spare series is used up too.

    Args:
        series: letter of the service's series.
        spare: the office's spare letter.
        last_numbers: highest number given today, by series; absent = none yet.
        kept: letters of kiosks' reserves today. A service that took one over in the middle of the day goes on with the spare
            letter: what kiosks hold they may be giving at this moment.
    """
    for letter in (series, spare):
        if letter in kept:
            continue
        number = last_numbers.get(letter, 0) + 1
        if number <= LAST_NUMBER:
            return NextLabel(letter, number)
    return None
