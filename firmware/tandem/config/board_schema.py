"""Every key of `board.toml` as data."""

from __future__ import annotations

from tandem.config.keys import Key

CHANNELS = ("low", "high")
"""What is the active level of a line."""
_MOST_MS = 60_000
COLOURS = (
    *("white", "brown", "green", "yellow", "grey", "pink", "blue", "red", "black", "violet", "grey-pink", "red-blue"),
    *("white-green", "brown-green", "white-yellow", "yellow-brown", "white-grey", "grey-brown", "white-pink"),
    *("pink-brown", "white-blue", "brown-blue", "white-red", "brown-red"),
)
"""Core colours of a control cable, DIN 47100, from 1 on; two words: the second is the ring."""

TOP = (
    Key("format", "integer", "version of the file's format", 1, 1, 1_000_000),
    Key("name", "name", "name of the board", None, 1, 32),
    Key("title", "text", "the board in words"),
    Key("guardian", "text", "what drives relays and LEDs", "none", choices=("bench", "gpio", "uart", "none")),
    Key(
        "network",
        "text",
        "whose the group addresses are: empty is the bench's on the bench, else the kernel's",
        "",
        choices=("", "bench", "kernel", "none"),
    ),
    Key("watchdog_device", "text", "the kernel's watchdog, fed by systemd", ""),
    Key("relay", "table", "times that the gateway reckons with", {}),
    Key("watchdog", "table", "times of the watchdog relay and what holds it", {}),
    Key("serial", "table", "serial ports by name: device, or a table", {}),
    Key("interfaces", "table", "network interfaces by the names on the panel", {}),
    Key("gpio", "table", "the GPIO chip", {}),
    Key("pins", "table", "signals and their wires", {}),
    Key("guardian_uart", "table", "where the guardian is", {}),
    Key("plane", "table", "bench: what each member adds to the second octet", {}),
    Key("net", "table", "bench: ports", {}),
    Key("address", "table", "bench: how addresses die", {}),
    Key("sockets", "table", "bench: each member's pins", {}),
)
RELAY = (
    Key("watchdog_ms", "number", "W: from the last pulse to the open role contact, at most", None, 0, _MOST_MS),
    Key("operate_ms", "number", "role relay: from the fed coil to the closed contact", None, 0, _MOST_MS),
    Key("release_ms", "number", "role relay: from the dead coil to the open contact", None, 0, _MOST_MS),
    Key("bounce_ms", "number", "a contact bounces so long", None, 0, _MOST_MS),
    Key("debounce_ms", "number", "so long a contact must be still to be believed", None, 0, _MOST_MS),
    Key("claim_timeout_ms", "number", "0: as long as the relays need", 0.0, 0, _MOST_MS),
    Key("trip_ms", "number", "a pulse on the peer-trip output lasts so long; 0: not wired", 0.0, 0, _MOST_MS),
    Key("trip_operate_ms", "number", "trip relay: from the fed coil to the open contact", 0.0, 0, _MOST_MS),
    Key("emulated", "boolean", "a program plays the relays: W may be longer than iron's", False),
)
WATCHDOG = (
    Key("hold_ms", "number", "the watchdog relay's coil drops when the last pulse is so old", None, 0, _MOST_MS),
    Key("operate_ms", "number", "from the fed coil to the closed contact", None, 0, _MOST_MS),
    Key("release_ms", "number", "from the dead coil to the open contact", None, 0, _MOST_MS),
)
GPIO = (
    Key("chip", "integer", "number of /dev/gpiochipN", 0, 0, 255),
    Key("revision", "text", "board revision for a machine that names none", ""),
    Key("header", "text", "the header that the lines come out at", "none", choices=("none", "raspberry-40", "pico-40")),
)
PIN = (
    Key("line", "integer", "GPIO line of the chip, or of the guardian", None, 0, 63),
    Key("active", "text", "level that means closed, on, pressed", "high", choices=CHANNELS),
    Key("pull", "text", "pull resistor of an input", "none", choices=("none", "up", "down")),
    Key("terminal", "integer", "terminal of strip X1", None, 1, 99),
    Key("colour", "text", "core colour", None, choices=COLOURS),
)
SERIAL = (
    Key("device", "text", "device"),
    Key("sort", "text", "what stands on the wire", "", choices=("", "rs232", "rs485")),
    Key("tx", "integer", "GPIO line that sends", -1, -1, 63),
    Key("rx", "integer", "GPIO line that receives", -1, -1, 63),
    Key("where", "text", "the plug or adapter", ""),
)
GUARDIAN = (
    Key("device", "text", "the UART's device"),
    Key("baud", "integer", "speed", 115200, 9600, 1_000_000, unit="bit/s"),
    Key("reset", "boolean", "the guardian's reset line is wired to the board's", False),
    Key("reset_line", "integer", "GP line of the guardian that pulls it", -1, -1, 29),
)
