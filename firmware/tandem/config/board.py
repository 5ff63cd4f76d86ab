"""The one reader of `board/NAME/board.toml`: what a board is wired to, verified; every fault with place and cure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tandem.config.board_schema import GPIO, GUARDIAN, PIN, RELAY, SERIAL, TOP, WATCHDOG
from tandem.config.finding import Finding, Findings, nearest
from tandem.config.margins import FRAME_OCTETS, FRAME_WAIT_MS, RelayTimes, WatchdogTimes, margins
from tandem.config.model import Place
from tandem.config.read import Reader, Values
from tandem.config.signals import BY_NAME, SIGNALS

BOARDS = Path(__file__).resolve().parents[3] / "board"
FORMAT = 1
_HEADER = {  # GPIO line -> pin of the 40-pin header that every Raspberry has had since 2014
    2: 3, 3: 5, 4: 7, 14: 8, 15: 10, 17: 11, 18: 12, 27: 13, 22: 15, 23: 16, 24: 18, 10: 19, 9: 21, 25: 22, 11: 23,
    8: 24, 7: 26, 0: 27, 1: 28, 5: 29, 6: 31, 12: 32, 13: 33, 19: 35, 16: 36, 26: 37, 20: 38, 21: 40,
}  # fmt: skip
_RP2040 = {  # GP number -> pin of the Pico's edge
    0: 1, 1: 2, 2: 4, 3: 5, 4: 6, 5: 7, 6: 9, 7: 10, 8: 11, 9: 12, 10: 14, 11: 15, 12: 16, 13: 17, 14: 19, 15: 20,
    16: 21, 17: 22, 18: 24, 19: 25, 20: 26, 21: 27, 22: 29, 26: 31, 27: 32, 28: 34,
}  # fmt: skip
_EDGES = {"raspberry-40": _HEADER, "pico-40": _RP2040}


@dataclass(slots=True, frozen=True)
class Pin:
    """One signal's wire: GPIO `line`, `pin` of the header (0: none), `terminal` of strip X1, core `colour`."""

    signal: str
    line: int
    active: str
    pull: str
    pin: int
    terminal: int
    colour: str


@dataclass(slots=True, frozen=True)
class SerialPort:
    """A serial port's device, and how an electrician finds it. `tx`, `rx`: GPIO lines, -1 where it has none."""

    name: str
    device: str
    sort: str = ""
    tx: int = -1
    rx: int = -1
    where: str = ""


@dataclass(slots=True, frozen=True)
class Guardian:
    """The relay-and-panel controller on a UART: its port and what it does without beats."""

    device: str
    baud: int
    reset: bool
    reset_line: int = -1


def way_ms(uart: Guardian | None) -> float:
    """How long a pulse may be on its way to the guardian; 0 without one."""
    return round(FRAME_WAIT_MS + FRAME_OCTETS * 10_000 / uart.baud, 1) if uart else 0.0


@dataclass(slots=True, frozen=True)
class BoardData:
    """A board's file. `guardian`: what drives relays, contacts and LEDs: "bench", "gpio", "uart" or "none"."""

    name: str
    title: str
    guardian: str
    relay: RelayTimes | None
    watchdog: WatchdogTimes | None
    serials: tuple[SerialPort, ...]
    pins: tuple[Pin, ...]
    interfaces: dict[str, str] = field(default_factory=dict)
    chip: int = 0
    revision: str = ""
    header: str = ""
    uart: Guardian | None = None
    watchdog_device: str = ""
    network: str = "kernel"
    bench: dict[str, dict[str, object]] = field(default_factory=dict)

    def pin(self, signal: str) -> Pin | None:
        """The wire of a signal, None where the board has none."""
        return next((pin for pin in self.pins if pin.signal == signal), None)


def board_file(name: str) -> Path:
    """The file of a board by its name or folder."""
    return (Path(name) if "/" in name else BOARDS / name) / "board.toml"


def board_names() -> list[str]:
    """The boards that this tree has."""
    return sorted(path.parent.name for path in BOARDS.glob("*/board.toml"))


def read_board(name: str) -> tuple[BoardData | None, list[Finding]]:
    """(board, findings) of a board's name or folder; None where there is an error."""
    file = board_file(name)
    shown = f"{file.parent.name}/board.toml"
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        cure = nearest(name, board_names(), "the boards are")
        return None, [Finding(Place(shown, 1), f"the board cannot be read: {reason}", cure)]
    return parse_board(shown, text)


def parse_board(file: str, text: str) -> tuple[BoardData | None, list[Finding]]:
    """(board, findings) of a file's text: pure, and never raises for any text."""
    findings = Findings()
    reader = Reader(file, text, findings)
    board = _build(reader) if reader.readable else None
    return (None if findings.failed else board), findings.all()


def _build(reader: Reader) -> BoardData | None:
    top = reader.table(reader.raw, TOP, (), "the board")
    if top.get("format", FORMAT) > FORMAT:
        reader.add(("format",), f"format = {top['format']} is newer than this gateway's {FORMAT}", "update the gateway")
    gpio = reader.table(_raw(top, "gpio"), GPIO, ("gpio",), "[gpio]")
    guardian = top.get("guardian", "none")
    relay, watchdog = _times(reader, top)
    pins = _pins(reader, _raw(top, "pins"), gpio)
    uart = _uart(reader, top) if guardian == "uart" else None
    serials = tuple(_serials(reader, _raw(top, "serial")))
    if guardian in ("gpio", "uart"):
        _needed(reader, guardian, pins, relay)
        _trip(reader, pins, relay)
    _taken(reader, pins, serials if guardian == "gpio" else ())
    for margin in margins(relay, watchdog, way_ms(uart)) if relay and watchdog else ():
        if margin.spare_ms < 0:
            reader.add(margin.path, margin.sentence, margin.cure)
    bench = {name: _raw(top, name) for name in ("plane", "net", "address", "sockets")} if guardian == "bench" else {}
    return BoardData(
        top.get("name", ""), top.get("title", ""), guardian, relay, watchdog, serials, pins,
        {k: str(v) for k, v in _raw(top, "interfaces").items()}, gpio["chip"], gpio["revision"], gpio["header"], uart,
        top["watchdog_device"], top["network"] or ("bench" if guardian == "bench" else "kernel"), bench,
    )  # fmt: skip


def _raw(table: Values, name: str) -> dict[str, object]:
    value = table.get(name)
    return value if isinstance(value, dict) else {}


def _times(reader: Reader, top: Values) -> tuple[RelayTimes | None, WatchdogTimes | None]:
    relay: RelayTimes | None = None
    watchdog: WatchdogTimes | None = None
    if raw := _raw(top, "relay"):
        values = reader.table(raw, RELAY, ("relay",), "[relay]")
        relay = RelayTimes(**values) if len(values) == len(RELAY) else None
    if raw := _raw(top, "watchdog"):
        values = reader.table(raw, WATCHDOG, ("watchdog",), "[watchdog]")
        watchdog = WatchdogTimes(**values) if len(values) == len(WATCHDOG) else None
    return relay, watchdog


def _pins(reader: Reader, raw: dict[str, object], gpio: Values) -> tuple[Pin, ...]:
    edge = _EDGES.get(gpio["header"], {})
    pins = []
    for name, value in raw.items():
        path = ("pins", name)
        if name not in BY_NAME:
            reader.add(path, f"there is no signal {name}", nearest(name, BY_NAME, "the signals are"))
        elif not isinstance(value, dict):
            reader.add(path, f"{name} is no table", f'write {name} = {{ line = 17, terminal = 1, colour = "white" }}')
        else:
            inward = BY_NAME[name].way == "in"
            defaults = {"active": "low" if inward else "high", "pull": "up" if inward else "none"}
            values = reader.table(value, PIN, path, name, defaults=defaults)
            line = values.get("line", -1)
            if edge and line >= 0 and line not in edge:
                reader.add(
                    (*path, "line"), f"{name}: line {line} is not on the header {gpio['header']}", "take another"
                )
            if len(values) == len(PIN):
                pins.append(Pin(name, pin=edge.get(line, 0), **values))
    order = [signal.name for signal in SIGNALS]
    return tuple(sorted(pins, key=lambda pin: order.index(pin.signal)))


def _serials(reader: Reader, raw: dict[str, object]) -> Iterable[SerialPort]:
    for name, value in raw.items():
        if isinstance(value, str) and value:
            yield SerialPort(name, value)
        elif isinstance(value, dict):
            values = reader.table(value, SERIAL, ("serial", name), f"serial port {name}")
            if len(values) == len(SERIAL):
                yield SerialPort(name, **values)
        else:
            reader.add(("serial", name), f"serial port {name} has no device", f'write {name} = "/dev/ttyAMA0"')


def _uart(reader: Reader, top: Values) -> Guardian | None:
    raw = _raw(top, "guardian_uart")
    if not raw:
        cure = 'write [guardian_uart] with device = "/dev/ttyAMA0"'
        reader.add(("guardian",), 'guardian = "uart", and no [guardian_uart] says where', cure)
        return None
    values = reader.table(raw, GUARDIAN, ("guardian_uart",), "[guardian_uart]")
    return Guardian(**values) if len(values) == len(GUARDIAN) else None


def _needed(reader: Reader, guardian: str, pins: tuple[Pin, ...], relay: RelayTimes | None) -> None:
    wired = {pin.signal for pin in pins}
    for signal in SIGNALS:
        if signal.needed and signal.name not in wired and relay is not None:
            cure = f'write {signal.name} = {{ line = ..., terminal = ..., colour = "..." }}, or take [relay] out'
            reader.add(("pins", signal.name), f"relays, and no wire for {signal.name} ({signal.about})", cure)
    if relay is None:
        reader.warn(("guardian",), f'guardian = "{guardian}" without [relay]: nothing fences the lines', "add [relay]")


def _trip(reader: Reader, pins: tuple[Pin, ...], relay: RelayTimes | None) -> None:
    """The peer-trip's wire and its time belong together."""
    wired, lasts = any(pin.signal == "peer-trip" for pin in pins), bool(relay and relay.trip_ms)
    if wired and not lasts:
        reader.add(("pins", "peer-trip"), "peer-trip is wired, and [relay] says no trip_ms", "write trip_ms = 250")
    if lasts and not wired:
        cure = 'write peer-trip = { line = ..., terminal = ..., colour = "..." }, or take trip_ms out'
        reader.add(("relay", "trip_ms"), "trip_ms, and no wire for peer-trip", cure)


def _taken(reader: Reader, pins: tuple[Pin, ...], serials: Iterable[SerialPort]) -> None:
    """No two wires at one line or terminal."""
    lines: dict[int, str] = {}
    for port in serials:
        for line in (port.tx, port.rx):
            if line >= 0 and lines.setdefault(line, f"serial port {port.name}") != f"serial port {port.name}":
                reader.add(("serial", port.name), f"{port.name}: line {line} is {lines[line]} already", "take another")
    terminals: dict[int, str] = {}
    for pin in pins:
        other = lines.setdefault(pin.line, pin.signal)
        if other != pin.signal:
            reader.add(
                ("pins", pin.signal, "line"), f"{pin.signal}: line {pin.line} is {other} already", "take another"
            )
        other = terminals.setdefault(pin.terminal, pin.signal)
        if other != pin.signal:
            wrong = f"{pin.signal}: terminal {pin.terminal} is {other} already"
            reader.add(("pins", pin.signal, "terminal"), wrong, "give each wire a terminal of its own")
