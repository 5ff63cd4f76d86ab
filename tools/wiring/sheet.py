"""The cabinet of one pair on one sheet: overview, circuits, terminals, front panel, parts."""

from __future__ import annotations

from tandem.config.board import BoardData, way_ms
from tandem.config.margins import margins
from tandem.config.signals import LED_NAMES
from tandem.panel.leds import TABLE
from tools.wiring.svg import BLUE, FAINT, INK, Sheet
from tools.wiring.wires import panel_of, terminal_of, x1_rows

_WIDTH = 1500
_LEDS = {"GREEN": "#2fae4a", "AMBER": "#f0a21c", "RED": "#d83434"}


def draw(board: BoardData) -> str:
    """The drawing as SVG text."""
    rows = x1_rows(board)
    height = 900 + 19 * max(len(rows), 14) + 60
    sheet = Sheet(_WIDTH, height)
    sheet.text(40, 44, f"Cabinet of one pair: {board.title}", 22, bold=True)
    sheet.text(
        40, 66, f"drawn from board/{board.name}/board.toml; both members are wired alike; contacts are shown without "
        "current", 12, colour=FAINT,
    )  # fmt: skip
    _overview(sheet, board)
    for member, x in (("a", 40), ("b", 780)):
        _circuits(sheet, board, member, x, 420)
    _terminals(sheet, board, rows, 852)
    return sheet.svg()


# --- overview ---------------------------------------------------------------------------------------------------------


def _overview(s: Sheet, board: BoardData) -> None:
    interfaces = list(board.interfaces.items())
    for number, (name, _) in enumerate(interfaces):
        y = 96 + 26 * number
        s.line(60, y, 1440, y, width=3, colour=BLUE)
        s.text(750, y - 6, f"{name.upper()}: switch, control centers, IP devices", 12, "middle", colour=BLUE)
    for member, x in (("a", 60), ("b", 1100)):
        _member(s, board, member, x)
        for number, (name, device) in enumerate(interfaces):
            at = x + 60 + 120 * number
            s.line(at, 96 + 26 * number, at, 170, colour=BLUE)
            s.dot(at, 96 + 26 * number, 4, BLUE, BLUE)
            s.text(at + 6, 164, f"{name} {device}", 11, colour=BLUE)
    s.box(560, 170, 380, 150, "#fbf6e9")
    s.text(750, 192, "P1 interlock panel, passive", 14, "middle", True)
    relays = "relays K1a K2a K3a K1b K2b K3b" if board.pin("peer-trip") else "relays K1a K2a K1b K2b"
    for number, words in enumerate(
        (f"{relays} and nothing else", "stays in its place when a board is taken out:",
         "the survivor keeps its coil path and its lines", "strips P1a and P1b, field side F1 and F2")
    ):  # fmt: skip
        s.text(750, 216 + 18 * number, words, 12, "middle")
    for member, x0, x1 in (("a", 400, 560), ("b", 1100, 940)):
        middle = (x0 + x1) / 2
        s.line(x0, 205, x1, 205)
        s.text(middle, 199, f"W1{member}: P1{member}:1-9", 11, "middle")
        s.line(x0, 255, x1, 255)
        s.text(middle, 249, f"W2{member}: P1{member}:10-11", 11, "middle")
    s.line(750, 320, 750, 352)
    s.text(758, 346, "F1 A, F2 B: RS-485 to the field devices, shielded pair, 120 ohm at both ends", 11)
    if any(port.name == "crossover" for port in board.serials):
        s.line(230, 320, 230, 376, 1270, 376, 1270, 320, dash="6 3")
        s.text(238, 370, "W3 crossover, null modem: TXD to RXD both ways, 0 V; third heartbeat path", 11)


def _member(s: Sheet, board: BoardData, member: str, x: float) -> None:
    s.box(x, 170, 340, 150, "#eef4fa")
    s.text(x + 12, 190, f"A1{member}  member {member}", 14, bold=True)
    s.text(x + 12, 208, board.title[:54], 11)
    if board.uart:
        s.text(x + 12, 226, f"A2{member} guardian: RP2040 on {board.uart.device}, {board.uart.baud} Bd", 11)
    elif board.header != "none":
        s.text(x + 12, 226, f"A2{member} driver card on the 40-pin header, gpiochip{board.chip}", 11)
    else:
        s.text(x + 12, 226, f"lines of gpiochip{board.chip}, played by the host", 11)
    for number, port in enumerate(board.serials):
        words = f"{port.name}: {port.sort or 'serial'}, {port.where or port.device}"
        s.text(x + 12, 246 + 15 * number, words[:60], 10.5)
    s.text(x + 12, 312, f"G1{member}: 24 V DC of its own, fuse F{1 if member == 'a' else 2} 2 A; PE at the rail", 10.5)


# --- circuits ---------------------------------------------------------------------------------------------------------


def _circuits(s: Sheet, board: BoardData, m: str, x: float, y: float) -> None:
    """One member's circuits; its peer's contacts stand in them by name."""
    n = "b" if m == "a" else "a"
    left, right = x + 30, x + 640
    s.text(x, y, f"Circuits of member {m}", 15, bold=True)
    trips = board.pin("peer-trip") is not None
    for rail in (left, right):
        s.line(rail, y + 22, rail, y + 136, width=2)
    s.text(left, y + 17, f"+24 V G1{m}", 11, "middle")
    s.text(right, y + 17, f"0 V G1{m}", 11, "middle")
    _rung_k1(s, board, m, left, right, y + (42 if trips else 55))
    _rung_k2(s, m, n, left, right, y + (87 if trips else 115), trips)
    if trips:
        _rung_k3(s, m, left, right, y + 130)
    else:
        s.text(right, y + 150, "peer-trip: not wired", 9.5, "end", colour=FAINT)
    inputs = (
        ("own-contact", f"K2{m}", "33-34", False, 5), ("peer-contact", f"K2{n}", "61-62", True, 6),
        ("own-watchdog", f"K1{m}", "23-24", False, 7), ("peer-watchdog", f"K1{n}", "33-34", False, 8),
    )  # fmt: skip
    top = y + 175
    s.line(left, top - 15, left, top + 3 * 48 + 8, width=2)
    s.text(left, top - 20, "0 V inputs", 11, "middle")
    s.dot(left, top - 8, 4, "#ffffff")
    s.text(left + 9, top - 5, f"P1{m}:9", 9.5, colour=BLUE)
    for number, (signal, relay, pins, breaks, terminal) in enumerate(inputs):
        at = top + 8 + number * 48
        s.dot(left, at)
        s.line(left, at, left + 70, at)
        s.contact(left + 70, at, relay, pins, breaks)
        s.line(left + 130, at, left + 250, at)
        s.terminal(left + 190, at, f"P1{m}:{terminal}")
        s.terminal(left + 250, at, terminal_of(board, signal))
        s.text(left + 262, at + 4, signal, 11)
        if breaks:
            s.text(left + 262, at + 18, "open: the peer drives, or a wire broke", 9.5, colour=FAINT)
    _field(s, m, left + 455, top + 8)


def _rung_k1(s: Sheet, board: BoardData, m: str, left: float, right: float, y: float) -> None:
    hold = f"{board.watchdog.hold_ms:g} ms" if board.watchdog else "a moment"
    s.line(left, y, left + 90, y)
    s.terminal(left + 50, y, f"P1{m}:1")
    s.coil(left + 90, y, f"K1{m}")
    s.line(left + 150, y, left + 370, y)
    s.terminal(left + 210, y, f"P1{m}:2")
    s.box(left + 370, y - 17, 210, 34, "#ffffff")
    what = "guardian, signed beats" if board.uart else "monostable, retriggered"
    s.text(left + 475, y - 3, f"A2{m} out 1: {what}", 10, "middle")
    s.text(left + 475, y + 10, f"conducts {hold} after a pulse", 10, "middle")
    s.line(left + 580, y, right, y)


def _rung_k2(s: Sheet, m: str, n: str, left: float, right: float, y: float, trips: bool) -> None:
    s.line(left, y, left + 70, y)
    s.terminal(left + 40, y, f"P1{m}:3")
    s.contact(left + 70, y, f"K1{m}", "13-14")
    at = left + 130
    if trips:
        s.contact(at, y, f"K3{n}", "21-22", True)
        at += 60
    else:
        s.line(at, y, at + 15, y)
        at += 15
    s.contact(at, y, f"K2{n}", "51-52", True)
    s.line(at + 60, y, left + 250, y)
    s.coil(left + 250, y, f"K2{m}")
    s.line(left + 310, y, left + 370, y)
    s.terminal(left + 340, y, f"P1{m}:4")
    s.box(left + 370, y - 17, 210, 34, "#ffffff")
    s.text(left + 475, y - 3, f"A2{m} out 2: latch", 10, "middle")
    s.text(left + 475, y + 10, "set by role-coil, cleared with out 1", 10, "middle")
    s.line(left + 580, y, right, y)


def _rung_k3(s: Sheet, m: str, left: float, right: float, y: float) -> None:
    """Fed through K1: a board that stands still trips nobody. Its break contact is in the rung of the peer's K2."""
    s.line(left, y, left + 70, y)
    s.terminal(left + 40, y, f"P1{m}:3")
    s.contact(left + 70, y, f"K1{m}", "43-44")
    s.line(left + 130, y, left + 250, y)
    s.coil(left + 250, y, f"K3{m}")
    s.line(left + 310, y, left + 370, y)
    s.terminal(left + 340, y, f"P1{m}:12")
    s.box(left + 370, y - 17, 210, 34, "#ffffff")
    s.text(left + 475, y - 3, f"A2{m} out 3: peer-trip", 10, "middle")
    s.text(left + 475, y + 10, "a pulse: the peer's K2 has no feed", 10, "middle")
    s.line(left + 580, y, right, y)


def _field(s: Sheet, m: str, x: float, y: float) -> None:
    """The field line through both poles of K2."""
    s.text(x + 10, y - 28, f"field line of member {m}", 11)
    for number, (wire, pins) in enumerate((("A", "13-14"), ("B", "23-24"))):
        at = y + 10 + 52 * number
        s.terminal(x + 10, at, f"P1{m}:{10 + number}")
        s.line(x + 14, at, x + 50, at)
        s.contact(x + 50, at, f"K2{m}", pins)
        s.line(x + 110, at, x + 150, at)
        s.terminal(x + 154, at, f"F{number + 1}")
        s.text(x + 166, at + 4, f"bus {wire}", 11)


# --- tables -----------------------------------------------------------------------------------------------------------


def _terminals(s: Sheet, board: BoardData, rows: list[list[str]], y: float) -> None:
    s.text(40, y - 10, "Strip X1 of each member", 15, bold=True)
    below = s.table(40, y, [34, 112, 46, 36, 122, 74, 156], rows)
    commons = "X1 has three more terminals, 0 V: inputs (to P1:9 and S1, S2), lamps, shield"
    s.text(40, below + 18, commons, 11, colour=FAINT)
    s.text(650, y - 10, "Interlock panel P1: strips P1a and P1b alike", 15, bold=True)
    panel = [["P1", "in the panel", "outside"], *([str(t.number), t.inside, t.outside] for t in panel_of(board))]
    below = s.table(650, y, [34, 150, 190], panel)
    s.text(650, below + 18, "F1: K2a 14 and K2b 14; F2: K2a 24 and K2b 24", 11, colour=FAINT)
    relays = "K1, K2, K3" if board.pin("peer-trip") else "K1, K2"
    s.text(650, below + 36, f"{relays}: 24 V DC, forcibly guided, 4 make 2 break,", 11, colour=FAINT)
    s.text(650, below + 52, "coil with a Zener clamp (a bare diode releases too late)", 11, colour=FAINT)
    _front_panel(s, board, 1070, y)
    _times(s, board, 1070, y + 175)


def _front_panel(s: Sheet, board: BoardData, x: float, y: float) -> None:
    s.text(x, y - 10, "Front panel of each member", 15, bold=True)
    s.box(x, y, 390, 130, "#f4f6f8")
    for number, (name, row) in enumerate(zip(LED_NAMES, TABLE, strict=True)):
        at = x + 24 + 38 * number
        s.dot(at, y + 34, 9, _LEDS[row.colour.name] if board.pin(f"led-{name}") else "#ffffff")
        s.text(at, y + 60, name, 9.5, "middle")
        s.text(at, y + 16, f"H{number + 1}", 9, "middle", colour=FAINT)
    s.dot(x + 60, y + 94, 14, "#ffffff")
    s.line(x + 60, y + 84, x + 60, y + 104, width=3)
    s.text(x + 84, y + 92, "S1 key: local / remote", 11)
    s.text(x + 84, y + 106, "turned to local: closed", 9.5, colour=FAINT)
    s.dot(x + 260, y + 94, 12, "#ffffff")
    s.dot(x + 260, y + 94, 8, "#d9dee4")
    s.text(x + 282, y + 98, "S2 lamp test", 11)
    s.text(x, y + 146, "lamps: 24 V through A2, common +24 V", 11, colour=FAINT)


def _times(s: Sheet, board: BoardData, x: float, y: float) -> None:
    relay, dog = board.relay, board.watchdog
    if relay is None or dog is None:
        return
    s.text(x, y + 14, "Times that the relays must keep (ms)", 15, bold=True)
    rows = [
        ["", "at most"],
        ["last pulse to the open K2 (W)", f"{relay.watchdog_ms:g}"],
        ["K1 held after a pulse", f"{dog.hold_ms:g}"],
        ["K1 operate, release", f"{dog.operate_ms:g}, {dog.release_ms:g}"],
        ["K2 operate, release", f"{relay.operate_ms:g}, {relay.release_ms:g}"],
        ["K2 bounce", f"{relay.bounce_ms:g}"],
        *([["K3 operate", f"{relay.trip_operate_ms:g}"]] if relay.trip_ms else []),
        ["to spare within W", f"{margins(relay, dog, way_ms(board.uart))[0].spare_ms:g}"],
    ]
    s.table(x, y + 24, [280, 110], rows)
    s.line(x, y + 24, x + 390, y + 24, colour=INK)
