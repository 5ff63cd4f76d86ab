"""One member's front panel as rich draws it: LEDs, role, paths, mirror; dark where nobody drives it."""

from __future__ import annotations

from typing import Any

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tandem.config.signals import LED_NAMES

_COLOURS = {"green": "bright_green", "amber": "orange1", "yellow": "orange1", "red": "bright_red"}
_ROLE_STYLE = {"active": "bold bright_green", "standby": "bold orange1", "out-of-service": "bold bright_red"}
DARK = "grey23"


def led(colour: str, blink: bool, name: str, dim: bool = False) -> Text:
    """One LED with its legend; a blinking one is dark every other picture."""
    words = colour.split()
    style = DARK if dim or not words or (blink and len(words) > 1) else _COLOURS.get(words[0], DARK)
    return Text.assemble(("●", style), (f" {name}", "grey42" if dim else "grey74"))


def front_panel(letter: str, status: dict[str, Any], world: dict[str, Any], trouble: str, blink: bool) -> Panel:
    """The panel of a member; `status` {} is a member that does not answer, `trouble` says why in a word."""
    leds = status.get("leds") or {}
    row = Table.grid(padding=(0, 2))
    names = list(leds) or list(LED_NAMES)
    for start in range(0, len(names), 5):
        some = names[start : start + 5]
        row.add_row(*(led(str(leds.get(name, "dark")), blink, name, dim=not status) for name in some))
    role = str(status.get("role", trouble or "dark"))
    body = Table.grid(padding=(0, 1))
    body.add_column(style="grey62", no_wrap=True, min_width=6)
    body.add_column(no_wrap=True)
    body.add_row("role", Text(role.upper(), style=_ROLE_STYLE.get(role, "bold grey50")))
    for name, text in _facts(status, world):
        body.add_row(name, text)
    whole = Table.grid(expand=True)
    whole.add_row(row)
    whole.add_row("")
    whole.add_row(body)
    border = {"active": "bright_green", "standby": "orange1"}.get(role, "grey35")
    return Panel(whole, title=f"[bold]TANDEM · {letter.upper()}[/]", border_style=border, padding=(1, 2))


def _facts(status: dict[str, Any], world: dict[str, Any]) -> list[tuple[str, Text]]:
    contact = Text("closed", "bright_green") if world.get("contact") else Text("open", "grey62")
    cut = [name for name, whole in (world.get("cables") or {}).items() if not whole]
    relay = Text.assemble("role relay ", contact, f", watchdog {'closed' if world.get('watchdog') else 'open'}")
    if cut:
        relay.append(f"   cut: {', '.join(cut)}", "bold red")
    if not status:
        return [*((name, Text("-", DARK)) for name in ("epoch", "sync", "paths", "mirror", "lines")), ("panel", relay)]
    mirror = status.get("mirror") or {}
    lag = next((mirror[k] for k in ("lag_ms", "lag_last_ms") if mirror.get(k) is not None), None)
    worst = next((mirror[k] for k in ("p99_ms", "lag_p99_ms") if mirror.get(k) is not None), None)
    sync = Text("in sync", "bright_green") if status.get("in_sync") else Text(
        str(status.get("not_in_sync_because") or "not in sync"), "orange1")  # fmt: skip
    if status.get("unprotected"):
        sync.append("  UNPROTECTED", "bold red")
    paths = Text()
    for name, up in (status.get("paths") or {}).items():
        paths.append("● ", "bright_green" if up else "bright_red").append(f"{name.rpartition('.')[2]}  ")
    return [
        ("epoch", Text(f"{status.get('epoch', '-')}   head {status.get('head', '-')}")),
        ("sync", sync),
        ("paths", paths),
        ("mirror", Text(f"{mirror.get('link', '-')}   lag {_ms(lag)}   p99 {_ms(worst)}")),
        ("lines", Text(f"{status.get('lines', '-')}   controls: {status.get('controls', '-')}")),
        ("panel", relay),
    ]


def _ms(value: Any) -> str:
    return f"{value:.2f} ms" if isinstance(value, int | float) else "-"
