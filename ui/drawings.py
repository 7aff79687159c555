"""Pictures computed on the server: the rail of a wait and the QR code, as inline SVG without styles."""

from typing import Final

import segno
from markupsafe import Markup

RAIL_SPAN_MIN: Final = 60
TICKS_MIN: Final = (15, 30, 45)
QUIET_MODULES: Final = 4


def rail(
    start: float | None, end: float | None, *, top: float = RAIL_SPAN_MIN, now: float | None = None, state: str = ""
) -> Markup:
    """The rail: a stretch of time on a line of an hour. Hidden from screen readers; the sentence beside it speaks.

    Args:
        start: beginning of the expected stretch, minutes from the beginning of the rail; none = not known, dashed.
        end: its end, minutes.
        top: minutes that the whole rail stands for.
        now: minutes from the beginning to this moment, drawn as a mark.
        state: "call" while being called.
    """
    scale = RAIL_SPAN_MIN / top
    parts = ['<rect class="rail-track" x="0" y="2" width="60" height="8"/>']
    if start is not None and end is not None:
        low, high = (min(max(at * scale, 0), RAIL_SPAN_MIN) for at in (start, end))
        parts.append(f'<rect class="rail-band" x="{low:g}" y="2" width="{high - low:g}" height="8"/>')
    else:
        state = "none"
    parts += [f'<rect class="rail-tick" x="{at - 0.1:g}" y="2" width="0.2" height="8"/>' for at in TICKS_MIN]
    if now is not None and 0 <= now <= top:
        parts.append(f'<rect class="rail-now" x="{now * scale - 0.3:g}" y="-2" width="0.6" height="16"/>')
    mode = f' data-state="{state}"' if state in {"call", "none"} else ""
    return Markup(  # noqa: S704 - numbers and constants only
        f'<svg class="rail"{mode} viewBox="0 0 60 12" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f"{''.join(parts)}</svg>"
    )


def qr(data: str, label: str) -> Markup:
    """A QR code (error correction M, quiet zone of 4 modules) as one path; `label` is its text alternative.

    Source: ISO/IEC 18004 for the quiet zone.
    """
    code = segno.make(data, error="m", micro=False, boost_error=False)
    side = code.symbol_size(border=QUIET_MODULES)[0]
    path = "".join(
        f"M{x + QUIET_MODULES} {y + QUIET_MODULES}h{width}v1h-{width}z"
        for y, row in enumerate(code.matrix)
        for x, width in _runs(bytes(row))
    )
    return Markup(
        '<svg class="qr" role="img" aria-label="{label}" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        '<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path fill="#000" d="{path}"/></svg>'
    ).format(label=label, side=side, path=path)


def _runs(row: bytes) -> list[tuple[int, int]]:
    """Start and width of every dark run of a row."""
    runs: list[tuple[int, int]] = []
    for x, dark in enumerate(row):
        if not dark:
            continue
        if runs and sum(runs[-1]) == x:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((x, 1))
    return runs
