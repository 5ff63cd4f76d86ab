"""A measured outage in words, for the terminal and the log of a run."""

from __future__ import annotations

from tools.bench.measure import Measurement


def ms(value: float | None) -> str:
    """Milliseconds, or a dash."""
    return "-" if value is None else f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def outage_lines(found: Measurement) -> list[str]:
    """What it took, and part by part."""
    parts = ", ".join(f"{name} {ms(value)}" for name, value in found.parts.items() if value is not None)
    lines = [
        f"{found.kind} of {found.member}: data again after {ms(found.data_ms)}, field {ms(found.field_ms)}, "
        f"control {ms(found.control_ms)} (listening {ms(found.listening_ms)} of it), c104 {ms(found.c104_ms)}"
    ]
    if parts:
        lines.append(f"  {parts}; {found.cause}")
    outside = [(name.replace("_", " "), value) for name, value in found.outside.items() if value is not None]
    seen = ", ".join(f"{name} {ms(value)}" for name, value in outside)
    if seen:
        lines.append(f"  seen from outside: {seen}")
    return lines
