"""Two booted images with everything around them: consoles, root shells for what only a test does, a meter, a center."""

from __future__ import annotations

import shutil
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.image.console import BOOT_S, Console, RootShell
from tests.image.world import CENTER, METER, World
from tools.image.boot import Bench
from tools.image.wired import Wired

GROUP_ADDRESS = "10.77.1.10"
MACS = {"a": "52:54:00:7a:01:00", "b": "52:54:00:7a:02:00"}

# An emulated machine on a busy computer is late by tenths of a second: the times are the longest that make sense.
FILES = {
    "gateway.toml": f"""format = 1
[group]
name = "trial"
[lan.one]
group = "{GROUP_ADDRESS}/24"
a = {{ interface = "eth0", address = "10.77.1.11/24" }}
b = {{ interface = "eth0", address = "10.77.1.12/24" }}
[lan.two]
group = "10.77.2.10/24"
a = {{ interface = "eth1", address = "10.77.2.11/24" }}
b = {{ interface = "eth1", address = "10.77.2.12/24" }}
[serial.crossover]
a = "crossover"
b = "crossover"
baud = 115200
[standby]
paths = ["lan.one", "lan.two", "serial.crossover"]
arbitration = "software"
heartbeat_ms = 200
dead_after_ms = 12000
lease_ms = 5000
stall_ms = 4000
sync_lease_ms = 40000
confirm_wait_ms = 45000
[[master]]
name = "meters"
protocol = "modbus-tcp"
lan = "one"
timeout_ms = 2000
scan = {{ normal = 500 }}
[[master.device]]
name = "M1"
host = "{METER}"
tcp_port = 502
address = 1
points = "m1.csv"
[[slave]]
name = "scada"
protocol = "iec104"
lan = "one"
common_address = 47
points = "scada.csv"
[[slave.center]]
name = "north"
hosts = ["{CENTER}"]
""",
    "m1.csv": """name,kind,address,encoding,scale,offset,unit,deadband
active_power,analog,holding:0,float32-abcd,1,0,kW,1
alarm,binary,holding:4.3,,,,,
""",
    "scada.csv": """point,type,address,group,scale,offset,deadband,invert,control
M1.active_power,M_ME_TF_1,2101,2,,,1,,
M1.alarm,M_SP_TB_1,1101,1,,,,,
_sys.role_active,M_SP_TB_1,9001,,,,,,
""",
}
"""The group as it is pasted at member a's console."""


def until(seen: Callable[[], object], what: str, seconds: float = BOOT_S) -> None:
    """Wait until it is seen; the sentence says what was not."""
    end = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < end, f"in {seconds:.0f} s it was not seen that {what}"
        time.sleep(0.2)


def with_root_shell(image: Path, folder: Path) -> Path:
    """The image, its firmware partition edited as a card's holder could: a root shell on one more serial port."""
    copy, words = folder / "tested.img", folder / "board.txt"
    subprocess.run(["cp", "--sparse=always", image, copy], check=True)
    with copy.open("rb") as disk:
        disk.seek(2 * 512 + 32)  # GPT: the first entry's first sector
        (sector,) = struct.unpack("<Q", disk.read(8))
    place = f"{copy}@@{sector * 512}"
    said = subprocess.run(["mtype", "-i", place, "::board.txt"], check=True, capture_output=True, text=True).stdout
    words.write_text(said.replace("console=ttyAMA0,115200", "console=ttyAMA0,115200 systemd.debug_shell=ttyS0"))
    subprocess.run(["mcopy", "-o", "-i", place, words, "::board.txt"], check=True)
    return copy


class Rig:
    """A pair in QEMU; `wired` is what is seen of it from outside, `world` what is beside it on the LANs."""

    def __init__(self, folder: Path, image: Path, update: Path) -> None:
        self.folder = folder
        self.bench = Bench(folder, with_root_shell(image, folder), "ab")
        for name, machine in self.bench.machines.items():
            door = f"socket,id=root,path={machine.plan.place('root')},server=on,wait=off"
            more = ["-chardev", door, "-device", "pci-serial,chardev=root"]
            bundle = f"file={update},if=none,id=u0,format=raw,read-only=on"
            machine.plan.more += [*more, "-drive", bundle, "-device", "virtio-blk-pci,drive=u0"]
            machine.plan.place("root").unlink(missing_ok=True)
            assert name in MACS
        self.wired: Wired = self.bench.start()
        self.on_ns: dict[str, int] = {}
        """When a machine was switched on again, monotonic ns."""
        self.consoles = {name: Console(machine) for name, machine in self.bench.machines.items()}
        self.roots = {name: RootShell(machine) for name, machine in self.bench.machines.items()}
        self.world = World(folder, self.wired, ((CENTER, METER), ("10.77.2.31",)))

    def active(self) -> list[str]:
        """Members that show at their front panel that they are active, as seen from outside."""
        return [name for name in self.bench.machines if self.wired.high(name, "led-active")]

    def one_active(self) -> str:
        """The one, waited for."""
        until(lambda: len(self.active()) == 1, "one member shows that it is active")
        return self.active()[0]

    def in_sync(self, seconds: float = BOOT_S) -> None:
        """Wait until the standby says that it has everything."""

        def said() -> bool:
            active = self.active()
            if len(active) != 1:
                return False
            status = self.status("b" if active == ["a"] else "a")
            return bool(status and status["role"] == "standby" and status["in_sync"])

        until(said, "the standby is in sync", seconds)

    def status(self, member: str) -> dict[str, object] | None:
        """What a member says of itself; None while it says nothing."""
        return self.roots[member].status()

    def hears_anew(self, what: str, seconds: float = BOOT_S) -> None:
        """Wait until the center has heard events that came after this moment."""
        before = self.world.heard("M1.alarm")
        until(lambda: self.world.heard("M1.alarm") > before + 1, f"the center hears the meter {what}", seconds)

    def switch_on(self, member: str) -> None:
        """A machine that was killed starts again, with the disk that it had."""
        self.on_ns[member] = time.monotonic_ns()
        self.bench.again(member)
        self.consoles[member] = Console(self.bench.machines[member])
        self.roots[member] = RootShell(self.bench.machines[member])

    def close(self) -> None:
        """Everything ends."""
        self.world.close()
        self.bench.end()
        shutil.rmtree(self.folder, ignore_errors=True)
