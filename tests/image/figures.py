"""What a start takes, in figures: told and kept, never judged; a machine's time differs from day to day."""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.image.rig import Rig

_LOOP = (
    'import timeit; print(min(timeit.repeat("for i in range(2000000): t = (t + i) % 1000003", "t = 0", number=1, '
    "repeat=3)))"
)
PI_FACTOR = 0.55
"""Seconds of the loop of `bench.machine` on a core of a Raspberry Pi 4 at 1.5 GHz: an estimate, 4.5 times a desk's."""


@dataclass(frozen=True)
class Start:
    """One start, in seconds; the kernel's own time begins behind the boot loader."""

    panel_s: float
    """Power on until the member was standby, which its panel shows from then on (this board has no pin for it)."""
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
    root = rig.roots[member]
    kernel_ns = time.monotonic_ns() - int(1e9 * float(root.run("cat /proc/uptime").split()[0]))
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
    before_s = (kernel_ns - rig.on_ns[member]) / 1e9
    return Start(before_s + role_s, times[0], role_s - times[1], role_s / times[0], factor)


def keep(start: Start, file: Path) -> None:
    """Beside the image that was booted."""
    file.write_text(json.dumps(asdict(start), indent=1) + "\n")
