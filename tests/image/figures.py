"""What a start takes, in figures: told and kept, never judged; a machine's time differs from day to day."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.image.rig import Rig

_LOOP = (
    "import time; b = time.perf_counter(); t = 0\nfor i in range(2000000): t = (t + i) % 1000003\n"
    "print(time.perf_counter() - b)"
)
PI_FACTOR = 0.55
"""Seconds of the loop of `bench.machine` on a core of a Raspberry Pi 4 at 1.5 GHz: an estimate, 4.5 times a desk's."""


@dataclass(frozen=True)
class Start:
    """One start, in seconds; the kernel's own time begins behind the boot loader."""

    panel_s: float
    """Power on until the panel showed `standby`, seen from outside."""
    multi_user_s: float
    """The kernel's begin until systemd had reached multi-user.target."""
    unit_to_role_s: float
    """The gateway unit's begin until its member was standby."""
    role_share: float
    """The kernel's begin until standby, as a share of that until multi-user.target."""
    factor: float
    """Seconds that the fixed loop takes in the guest, the gateway running beside it."""

    def told(self) -> str:
        """One sentence."""
        on_pi = self.unit_to_role_s * PI_FACTOR / self.factor
        return (
            f"start: panel shows standby after {self.panel_s:.0f} s, {self.role_share:.2f} of the time to multi-user "
            f"({self.multi_user_s:.0f} s); unit to role {self.unit_to_role_s:.1f} s at factor {self.factor:.2f}, "
            f"{on_pi:.1f} s on a Pi-class core by the factor"
        )


def of_start(rig: Rig, member: str) -> Start:
    """Of the last start of a member that is standby now."""
    root, on_ns = rig.roots[member], rig.on_ns[member]
    lit = next(
        e for e in rig.wired.events if (e.what, e.member, e.value) == ("led-standby", member, 1) and e.at_ns > on_ns
    )
    times = [
        int(root.run(f"systemctl show {unit} -p {name} --value")) / 1e6
        for unit, name in (
            ("multi-user.target", "ActiveEnterTimestampMonotonic"),
            ("tandem.service", "ExecMainStartTimestampMonotonic"),
        )
    ]
    role = root.run("journalctl -b -u tandem -o short-monotonic --no-pager | grep -m1 'starting -> standby'")
    found = re.match(r"\[ *([\d.]+)\]", role)
    assert found, f"the log does not say when {member} was standby: {role!r}"
    role_s, factor = float(found[1]), float(root.run(f"python3 -c '{_LOOP}'"))
    return Start((lit.at_ns - on_ns) / 1e9, times[0], role_s - times[1], role_s / times[0], factor)


def keep(start: Start, file: Path) -> None:
    """Beside the image that was booted."""
    file.write_text(json.dumps(asdict(start), indent=1) + "\n")
