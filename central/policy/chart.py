"""A comparison as a picture: a pair of bars per group, in SVG. The bar of *after* is hatched, so it reads without colour."""

from xml.sax.saxutils import escape

from central.policy.rules import Say, group_name
from sync.domain.replays.compare import Comparison, Group, Waits

BARS, LEFT, RIGHT = 480, 190, 90
LETTER = 7.4
"""What a letter of a label takes, about: long names of services push the bars aside."""
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
    labels = [f"{group_name(group.by, group.name, say)} ({group.people})" for group in groups]
    left = max([LEFT, *(24 + round(LETTER * len(label)) for label in labels)])
    width = left + BARS + RIGHT
    rows = [
        line
        for n, (group, label) in enumerate(zip(groups, labels, strict=True))
        for line in _row(group, label, left, TOP + n * ROW, longest_s)
    ]
    title = say("central.policy.chart.title", n=comparison.days)
    legend = say("central.policy.chart.legend", before=comparison.bound_before_min, after=comparison.bound_after_min)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" {FONT} fill="{INK}">',
            f"<title>{escape(title)}</title>",
            HATCH,
            f'<rect width="{width}" height="{height}" fill="#fff"/>',
            f'<text x="12" y="24" font-size="16" font-weight="bold">{escape(title)}</text>',
            f'<text x="12" y="44">{escape(legend)}</text>',
            *rows,
            "</svg>",
            "",
        ]
    )


def _row(group: Group, label: str, left: int, top: int, longest_s: int) -> list[str]:
    return [
        f'<text x="12" y="{top + BAR + 6}">{escape(label)}</text>',
        *_bar(group.before, left, top, BEFORE, longest_s),
        *_bar(group.after, left, top + BAR + 4, "url(#after)", longest_s),
    ]


def _bar(waits: Waits, left: int, top: int, fill: str, longest_s: int) -> list[str]:
    scale = BARS / longest_s
    p50, p90 = waits.p50_s * scale, waits.p90_s * scale
    middle = top + BAR // 2
    said = f"{waits.p50_s / 60:.0f} / {waits.p90_s / 60:.0f} min"
    return [
        f'<rect x="{left}" y="{top}" width="{max(1.0, p50):.1f}" height="{BAR}" fill="{fill}"/>',
        f'<path d="M{left + p50:.1f} {middle}H{left + p90:.1f}m0 -5v10" stroke="{INK}" fill="none"/>',
        f'<text x="{left + p90 + 6:.1f}" y="{middle + 4}" font-size="11">{said}</text>',
    ]
