"""One gateway in QEMU: its command line, its monitor, its GPIO lines, its life."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tools.image.run import Failed, answer

UBOOT = "loaders/files/usr/lib/u-boot/qemu_arm64/u-boot.bin"
LANS = 2
MEMORY_MIB = 512
DISK = "2G"
_PROMPT = b"(qemu) "
_IRQ = re.compile(rb"IRQ (raise|lower) (\d+)")


@dataclass
class Plan:
    """What a machine is started with; its sockets and its disk lie in `folder`."""

    name: str
    folder: Path
    image: Path
    loader: Path
    cores: int = 1
    mac: int = 1
    more: list[str] = field(default_factory=list)

    def place(self, what: str) -> Path:
        """A socket, log or disk of this machine."""
        return self.folder / f"{self.name}.{what}"


def words(plan: Plan) -> list[str]:
    """QEMU's command line: U-Boot, the image's disk, two LANs, console, crossover, watchdog."""
    line = ["qemu-system-aarch64", "-name", plan.name, "-M", "virt,gic-version=3,acpi=off", "-cpu", "cortex-a72"]
    line += ["-smp", str(plan.cores), "-m", str(MEMORY_MIB), "-accel", "tcg,thread=multi", "-display", "none"]
    line += ["-nodefaults", "-bios", str(plan.loader), "-device", "virtio-rng-pci"]
    line += ["-drive", f"file={plan.place('qcow2')},if=none,id=d0,format=qcow2,cache=writeback"]
    line += ["-device", "virtio-blk-pci,drive=d0"]
    for number in range(LANS):
        near, far = plan.place(f"lan{number}"), plan.place(f"hub{number}")
        line += ["-netdev", f"dgram,id=n{number},local.type=unix,local.path={near},remote.type=unix,remote.path={far}"]
        line += ["-device", f"virtio-net-pci,netdev=n{number},mac=52:54:00:7a:{plan.mac:02x}:{number:02x},romfile="]
    for what in ("console", "crossover"):
        log = f",logfile={plan.place('log')}" if what == "console" else ""
        line += ["-chardev", f"socket,id={what},path={plan.place(what)},server=on,wait=off{log}"]
        line += ["-serial", f"chardev:{what}"]
    line += ["-monitor", f"unix:{plan.place('monitor')},server=on,wait=off"]
    line += ["-qtest", f"unix:{plan.place('qtest')},server=on,wait=off", "-qtest-log", "none"]
    return [*line, "-device", "i6300esb", "-watchdog-action", "reset", *plan.more]


def connect(path: Path, seconds: float = 10.0) -> socket.socket:
    """A stream socket at `path`, waited for; Failed with the path when nobody listens there in time."""
    end = time.monotonic() + seconds
    while True:
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            door.connect(str(path))
            return door
        except OSError as error:
            door.close()
            if time.monotonic() > end:
                raise Failed(f"nobody listens at {path} ({error.strerror}); did QEMU end?") from None
            time.sleep(0.05)


class Machine:
    """A started QEMU. Its disk is a layer over the image, made anew at `start` unless it is kept."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.process: subprocess.Popen[bytes] | None = None
        self._monitor: socket.socket | None = None

    def start(self, keep_disk: bool = False) -> None:
        """Switch it on."""
        plan = self.plan
        disk = plan.place("qcow2")
        if not keep_disk or not disk.exists():
            made: list[object] = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", plan.image.resolve(), "-F", "raw"]
            answer([*made, disk, DISK])
        for what in ("console", "crossover", "monitor", "qtest", *(f"lan{n}" for n in range(LANS))):
            plan.place(what).unlink(missing_ok=True)
        complaints = plan.place("stderr").open("ab")
        self.process = subprocess.Popen(words(plan), stdin=subprocess.DEVNULL, stderr=complaints)
        complaints.close()
        self._monitor = connect(plan.place("monitor"))
        self._until_prompt()

    def tell(self, line: str) -> str:
        """One line to QEMU's monitor; its answer."""
        assert self._monitor is not None, "start it first"
        self._monitor.sendall(line.encode() + b"\n")
        return self._until_prompt()

    def _until_prompt(self) -> str:
        assert self._monitor is not None
        self._monitor.settimeout(20)
        heard = b""
        while not heard.endswith(_PROMPT):
            more = self._monitor.recv(65536)
            if not more:
                raise Failed(f"QEMU of {self.plan.name} ended; its complaints are in {self.plan.place('stderr')}")
            heard += more
        clean = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", heard[: -len(_PROMPT)].decode("latin1"))
        return clean.partition("\n")[2]

    def pull(self, lan: int, out: bool = True) -> None:
        """Pull a LAN's cable, or plug it in again."""
        self.tell(f"set_link n{lan} {'off' if out else 'on'}")

    def freeze(self) -> None:
        """The machine stands still while the world's time goes on (QEMU's own `stop` would halt its clock as well)."""
        if self.process is not None:
            self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it stood, and finds that it is later."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Pull its plug."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None
        if self._monitor is not None:
            self._monitor.close()
            self._monitor = None

    @property
    def alive(self) -> bool:
        """QEMU still runs."""
        return self.process is not None and self.process.poll() is None

    def gpio_chip(self) -> str:
        """Where the PL061 is in QEMU's tree of objects; Failed where there is none."""
        found: list[str] = []
        for line in self.tell("info qom-tree").splitlines():
            depth = (len(line) - len(line.lstrip())) // 2
            found[depth:] = [line.strip().lstrip("/").rsplit(" (", 1)[0]]
            if "(pl061)" in line:
                return "/machine/" + "/".join(found[1:])
        raise Failed("this QEMU's machine has no PL061: its GPIO lines cannot be wired")


class Lines:
    """The GPIO lines of a machine, over its qtest socket: edges of outputs come, levels of inputs are set."""

    def __init__(self, machine: Machine, edge: Callable[[int, bool], None]) -> None:
        self._chip = machine.gpio_chip()
        self._edge = edge
        self._heard = b""
        self.door = connect(machine.plan.place("qtest"))
        self._say(f"irq_intercept_out {self._chip}")
        self.door.setblocking(False)

    def _say(self, line: str) -> None:
        self.door.sendall(line.encode() + b"\n")

    def drive(self, line: int, high: bool) -> None:
        """An input's level from now on."""
        self._say(f"set_irq_in {self._chip} unnamed-gpio-in {line} {int(high)}")

    def read(self) -> bool:
        """Hand on the edges that came; False when QEMU is gone."""
        while True:
            try:
                more = self.door.recv(65536)
            except BlockingIOError:
                break
            except OSError:
                return False
            if not more:
                return False
            self._heard += more
        *whole, self._heard = self._heard.split(b"\n")
        for line in whole:
            if match := _IRQ.match(line):
                self._edge(int(match[2]), match[1] == b"raise")
        return True

    def close(self) -> None:
        """Let go of the socket."""
        self.door.close()


def end(process: int) -> None:
    """Ask a process to end, if it still is."""
    try:
        os.kill(process, signal.SIGTERM)
    except ProcessLookupError:
        pass
