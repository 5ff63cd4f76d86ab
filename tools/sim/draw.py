"""A story as a picture: lanes of what was so and when, faults above them. Plain SVG, no script."""

from __future__ import annotations

from html import escape

from tools.sim.tale import Tale

_COLOURS = {
    "active": "#2e9e4f", "standby": "#4a7fc1", "taking-over": "#e8a317", "releasing": "#c98bdb", "starting": "#9aa0a6",
    "out-of-service": "#c0392b", "on": "#2e9e4f", "a": "#2e9e4f", "b": "#4a7fc1", "": "#f1d5d2", "off": "#e8e8e8",
}  # fmt: skip
_LEFT, _LANE, _WIDTH, _TOP = 150, 26, 1000, 30
_FAULT = 15


def picture(tale: Tale, title: str) -> str:
    """The SVG text of a tale that has ended."""
    lanes = sorted({span.what for span in tale.spans}, key=_order)
    faults = [line for line in tale.lines if line.lane == "FAULT"]
    top = _TOP + _FAULT * len(faults) + 10
    most = max((span.to_ms for span in tale.spans), default=1.0)
    height = top + _LANE * len(lanes) + 40

    def x(ms: float) -> float:
        return round(_LEFT + _WIDTH * ms / most, 1)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 20}" height="{height}" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="8" y="18" font-size="14">{escape(title)}</text>',
    ]
    for row, line in enumerate(faults):
        y = _TOP + _FAULT * row + 10
        out.append(
            f'<line x1="{x(line.at_ms)}" y1="{y}" x2="{x(line.at_ms)}" y2="{height - 30}" stroke="#c0392b" '
            f'stroke-dasharray="2 3"/><text x="{x(line.at_ms) + 3}" y="{y}" fill="#c0392b">{escape(line.text)}</text>'
        )
    for row, lane in enumerate(lanes):
        y = top + _LANE * row
        out.append(f'<text x="8" y="{y + 15}">{escape(lane)}</text>')
        for span in (s for s in tale.spans if s.what == lane):
            wide = max(0.5, x(span.to_ms) - x(span.from_ms))
            said = f"{lane}: {span.value or 'none'}, {span.from_ms:.0f} to {span.to_ms:.0f} ms"
            out.append(
                f'<rect x="{x(span.from_ms)}" y="{y}" width="{wide:.1f}" height="{_LANE - 8}" '
                f'fill="{_COLOURS.get(span.value, "#888888")}"><title>{escape(said)}</title></rect>'
            )
    seconds = int(most // 1000)
    for second in range(seconds + 1):
        out.append(f'<text x="{x(1000 * second)}" y="{height - 12}" fill="#555555">{second} s</text>')
    return "\n".join([*out, "</svg>", ""])


def _order(lane: str) -> tuple[int, str]:
    kinds = ("role", "owner", "lease", "coil", "contact", "center")
    return kinds.index(lane.split()[0]), lane
