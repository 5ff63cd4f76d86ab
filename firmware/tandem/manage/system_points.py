"""`python -m tandem system-points [--config DIR]`: every point of the gateway itself; the page, or those of a group."""

from __future__ import annotations

import argparse
import json
import sys

from tandem.config.finding import ConfigError
from tandem.config.load import load
from tandem.point import Kind
from tandem.system import PREFIX, TABLE, SystemPoint, system_points

_HEAD = """\
# The gateway's own points

Tandem tells of itself as it tells of the field: as points. Their names begin with `_sys.`, and a row of any slave's
list may name them, whatever the protocol; so may a condition, an interlock (binary ones) and
`python -m tandem points --match _sys.`. This page is printed by `python -m tandem system-points`; with `--config DIR`
the verb prints the names that a configuration has.

- A member's **own** point is told by each member of itself. It stands beside the journal: it has no number and waits
  in no event buffer. A connection is given its present value when it starts, and each change at once.
- A point of **both** members is mirrored like the points of the field: the active member writes it, its changes are
  events, and the other member serves it too.
- States are written when they change (sums and machine within 250 ms), rows marked **1 s** once a second.
- What counts begins anew with the process. The statistics of devices, and the worst turn, begin anew with
  `python -m tandem reset-statistics [DEVICE] --state DIR` too, on that member.
- A value that nobody knows yet is *never read* (IEC: invalid); -1 stands for the role or health of a member that is
  not heard.

In an IEC 104 list a binary is served as `M_SP_NA_1` or `M_SP_TB_1`, an analog as `M_ME_NC_1` or `M_ME_TF_1`, a counter
as `M_IT_NA_1` or `M_IT_TB_1`:

```csv
point,type,address
_sys.role_active,M_SP_TB_1,9001
_sys.device.F1.timeouts,M_IT_NA_1,9101
_sys.last_failover_ms,M_ME_NC_1,9201
```
"""


def page() -> str:
    """The documentation of every system point, as Markdown."""
    parts = [_HEAD]
    for title, each, rows in TABLE:
        parts.append(f"## {title}\n")
        if each:
            parts.append(f"For each {each}; `{each.upper()}` stands for its name.\n")
        parts.append("| point | kind | whose | meaning |\n|---|---|---|---|")
        parts.append("".join(f"\n| {' | '.join(_cells(row, each))} |" for row in rows).removeprefix("\n") + "\n")
    return "\n".join(parts)


def _cells(row: SystemPoint, each: str) -> tuple[str, ...]:
    kind = row.kind.word + (", 1 s" if row.slow else "")
    values = ": " + ", ".join(f"{i} {state}" for i, state in enumerate(row.states)) if row.states else ""
    unit = f" ({row.unit})" if row.unit else ""
    name = PREFIX + row.name.replace("each", each.upper(), 1)
    return f"`{name}`", kind, "own" if row.local else "both", row.description + values + unit


def run(argv: list[str]) -> int:
    """Print the page, or the points of a configuration; exit code 1 for one that is not sound."""
    parser = argparse.ArgumentParser(prog="tandem system-points", description=__doc__)
    parser.add_argument("--config", default="", help="print the points that this configuration has")
    parser.add_argument("--json", action="store_true", help="with --config: one JSON object")
    asked = parser.parse_args(argv)
    if not asked.config:
        print(page(), end="")
        return 0
    try:
        points = system_points(load(asked.config))
    except ConfigError as error:
        print(f"tandem system-points: {error}", file=sys.stderr)
        return 1
    if asked.json:
        print(json.dumps([{"name": p.name, "kind": p.kind.word, "local": p.local, "unit": p.unit} for p in points]))
    else:
        for point in points:
            whose = "own " if point.local else "both"
            print(f"{point.name:44} {point.kind.word:{len(Kind.COUNTER.word)}} {whose} {point.description}")
    return 0
