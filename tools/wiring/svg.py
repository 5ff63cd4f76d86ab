"""Lines, words and the symbols of a circuit diagram as SVG; coordinates in px, y downwards."""

from __future__ import annotations

from html import escape

INK, FAINT, BLUE = "#1b1f24", "#8a929b", "#1f5fa8"
CORES = {
    "white": "#f4f4f4", "brown": "#7a4a21", "green": "#2f8f3a", "yellow": "#f2c616", "grey": "#8c8c8c",
    "pink": "#f09ab5", "blue": "#2660b8", "red": "#cc2a2a", "black": "#111111", "violet": "#7a3fa0",
}  # fmt: skip
"""What the core colours look like."""


class Sheet:
    """One drawing that grows by what is put onto it."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._parts: list[str] = []

    def line(self, *points: float, colour: str = INK, width: float = 1.4, dash: str = "") -> None:
        """A polyline through x, y, x, y, ..."""
        pairs = " ".join(f"{x:g},{y:g}" for x, y in zip(points[::2], points[1::2], strict=True))
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        look = f'fill="none" stroke="{colour}" stroke-width="{width:g}"{dashed}'
        self._parts.append(f'<polyline points="{pairs}" {look}/>')

    def box(self, x: float, y: float, w: float, h: float, fill: str = "none", dash: str = "", edge: str = INK) -> None:
        """A rectangle."""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        size = f'x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}"'
        self._parts.append(f'<rect {size} fill="{fill}" stroke="{edge}" stroke-width="1.4"{dashed}/>')

    def dot(self, x: float, y: float, r: float = 3, fill: str = INK, edge: str = INK) -> None:
        """A filled circle: a joint, a lamp."""
        look = f'fill="{fill}" stroke="{edge}" stroke-width="1.2"'
        self._parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="{r:g}" {look}/>')

    def text(
        self, x: float, y: float, words: str, size: float = 12, at: str = "start", bold: bool = False, colour: str = INK
    ) -> None:
        """Words with their baseline at y; `at`: start, middle or end."""
        weight = ' font-weight="600"' if bold else ""
        place = f'x="{x:g}" y="{y:g}" font-size="{size:g}" text-anchor="{at}"'
        self._parts.append(f'<text {place} fill="{colour}"{weight}>{escape(words, quote=False)}</text>')

    # --- symbols: each spans 60 px from x to the right, on the wire at y ------------------------------------------

    def contact(self, x: float, y: float, name: str, pins: str, breaks: bool = False) -> None:
        """A make or a break contact, drawn as it is without current."""
        self.line(x, y, x + 18, y)
        self.line(x + 42, y, x + 60, y)
        if breaks:
            self.line(x + 42, y, x + 42, y - 9)
            self.line(x + 18, y, x + 45, y - 11)
        else:
            self.line(x + 18, y, x + 40, y - 12)
        first, second = pins.split("-")
        self.text(x + 14, y + 14, first, 9, "middle", colour=FAINT)
        self.text(x + 46, y + 14, second, 9, "middle", colour=FAINT)
        self.text(x + 30, y - 17, name, 12, "middle", True)

    def coil(self, x: float, y: float, name: str) -> None:
        """A relay's coil."""
        self.line(x, y, x + 15, y)
        self.box(x + 15, y - 11, 30, 22, "#ffffff")
        self.line(x + 45, y, x + 60, y)
        self.text(x + 30, y + 4, name, 11, "middle", True)
        self.text(x + 8, y + 14, "A1", 9, "middle", colour=FAINT)
        self.text(x + 52, y + 14, "A2", 9, "middle", colour=FAINT)

    def terminal(self, x: float, y: float, name: str, above: bool = True) -> None:
        """A terminal on a wire."""
        self.dot(x, y, 4, "#ffffff")
        self.text(x, y - 8 if above else y + 16, name, 9.5, "middle", colour=BLUE)

    def swatch(self, x: float, y: float, core: str) -> None:
        """A core's colour: two halves where its name has two words."""
        first, _, second = core.partition("-")
        self.box(x, y, 26, 9, CORES[first])
        if second:
            self.box(x + 13, y, 13, 9, CORES[second])

    def table(self, x: float, y: float, widths: list[float], rows: list[list[str]], row_h: float = 19) -> float:
        """Rows of words, the first one the heads; returns the y below."""
        total = sum(widths)
        self.box(x, y, total, row_h, "#e8edf3")
        for number, row in enumerate(rows):
            at = x
            top = y + number * row_h
            self.line(x, top + row_h, x + total, top + row_h, colour="#c4cbd3", width=0.8)
            for width, cell in zip(widths, row, strict=True):
                if number and cell.startswith("core:"):
                    self.swatch(at + 6, top + 5, cell[5:])
                    self.text(at + 38, top + 14, cell[5:], 11)
                else:
                    self.text(at + 6, top + 14, cell, 11, bold=not number)
                at += width
        self.box(x, y, total, row_h * len(rows))
        return y + row_h * len(rows)

    def svg(self) -> str:
        """The file's text."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}" '
            f'height="{self.height}" font-family="Helvetica, Arial, \'DejaVu Sans\', sans-serif">'
        )
        ground = f'<rect width="{self.width}" height="{self.height}" fill="#ffffff"/>'
        return "\n".join([head, ground, *self._parts, "</svg>"]) + "\n"
