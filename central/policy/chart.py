"""A comparison as a picture: a pair of bars per group, in SVG. The bar of *after* is hatched, so it reads without colour."""

from xml.sax.saxutils import escape

from central.policy.rules import Say, group_name
from sync.domain.replays.compare import Comparison, Group, Waits

WIDTH, LEFT, RIGHT = 760, 190, 90
BAR, ROW, TOP = 14, 46, 64
INK, BEFORE, AFTER = "#1a1a1a", "#5b6b7b", "#00695c"
FONT = 'font-family="sans-serif" font-size="13"'
HATCH = (
    '<defs><pattern id="after" width="6" height="6" patternUnits="userSpaceOnUse">'
    f'<rect width="6" height="6" fill="{AFTER}"/><path d="M0 6L6 0" stroke="#fff"/></pattern></defs>'
)


def chart(comparison: Comparison, say: Say) -> str:
    """An SVG of the waits before and after: a thick bar to P50, a thin one on to P90."""
    groups = comparison.groups
    longest_s = max([60, *(w.p90_s for g in groups for w in (g.before, g.after))])
    height = TOP + ROW * len(groups) + 16
    rows = [line for n, group in enumerate(groups) for line in _row(group, TOP + n * ROW, longest_s, say)]
    title = say("central.policy.chart.title", n=comparison.days)
    legend = say("central.policy.chart.legend", before=comparison.bound_before_min, after=comparison.bound_after_min)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" {FONT} fill="{INK}">',
            f"<title>{escape(title)}</title>",
            HATCH,
            f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
            f'<text x="12" y="24" font-size="16" font-weight="bold">{escape(title)}</text>',
            f'<text x="12" y="44">{escape(legend)}</text>',
            *rows,
            "</svg>",
            "",
        ]
    )


def _row(group: Group, top: int, longest_s: int, say: Say) -> list[str]:
    name = group_name(group.by, group.name, say)
    label = f'<text x="12" y="{top + BAR + 6}">{escape(name)} ({group.people})</text>'
    return [
        label,
        *_bar(group.before, top, BEFORE, longest_s),
        *_bar(group.after, top + BAR + 4, "url(#after)", longest_s),
    ]


def _bar(waits: Waits, top: int, fill: str, longest_s: int) -> list[str]:
    scale = (WIDTH - LEFT - RIGHT) / longest_s
    p50, p90 = waits.p50_s * scale, waits.p90_s * scale
    middle = top + BAR // 2
    said = f"{waits.p50_s / 60:.0f} / {waits.p90_s / 60:.0f} min"
    return [
        f'<rect x="{LEFT}" y="{top}" width="{max(1.0, p50):.1f}" height="{BAR}" fill="{fill}"/>',
        f'<path d="M{LEFT + p50:.1f} {middle}H{LEFT + p90:.1f}m0 -5v10" stroke="{INK}" fill="none"/>',
        f'<text x="{LEFT + p90 + 6:.1f}" y="{middle + 4}" font-size="11">{said}</text>',
    ]
