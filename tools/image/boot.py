"""`./build.sh boot`: one gateway or a pair in QEMU, wired together, the console of one in this terminal."""

import argparse
import os
import select
import socket
import sys
import tempfile
import termios
import tty
from collections.abc import Callable
from pathlib import Path

from tools.image import build, host
from tools.image.board import ROOT
from tools.image.qemu import UBOOT, Machine, Plan, connect
from tools.image.run import Failed, say
from tools.image.wired import Wired

BOARD = "qemu-virt"
ESCAPE = b"\x1d"
KEYS = "Ctrl-] then: a or b shows it, k kill, s start, f freeze, t thaw, 1 or 2 a LAN's plug, x the crossover's, q quit"


def newest(board: str) -> Path:
    """The image of a board in out/; Failed with the way to have one."""
    found = sorted((ROOT / "out" / board).glob("*.img"), key=lambda file: file.stat().st_mtime)
    if not found:
        raise Failed(f"there is no image of {board} here yet: ./build.sh image --board {board}")
    return found[-1]


class Bench:
    """Machines of an image with all that joins them; `folder` keeps their disks, sockets and console logs."""

    def __init__(self, folder: Path, image: Path, members: str, cores: int = 1) -> None:
        loader = build.cache() / UBOOT
        plans = [Plan(name, folder, image, loader, cores, number) for number, name in enumerate(members, 1)]
        self.machines = {plan.name: Machine(plan) for plan in plans}
        self.wired: Wired | None = None

    def start(self, keep_disks: bool = False) -> Wired:
        """Switch everything on."""
        for machine in self.machines.values():
            machine.start(keep_disks)
        self.wired = Wired(self.machines)
        self.wired.start()
        return self.wired

    def again(self, member: str) -> None:
        """Switch a member on that was killed, with the disk that it had."""
        self.machines[member].start(keep_disk=True)
        if self.wired is not None:
            self.wired.rejoin(member)

    def end(self) -> None:
        """Switch everything off."""
        for machine in self.machines.values():
            machine.kill()
        if self.wired is not None:
            self.wired.close()


class Terminal:
    """This terminal as the console of one machine at a time, with a few keys behind Ctrl-]."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._consoles = {name: connect(it.plan.place("console")) for name, it in bench.machines.items()}
        self._shown = next(iter(bench.machines))
        self._out: set[int] = set()
        self._escaped = False
        self.running = True

    def run(self) -> None:
        """Until q."""
        say(KEYS)
        before = termios.tcgetattr(0) if os.isatty(0) else None
        if before:
            tty.setraw(0)
        try:
            while self.running:
                self._turn()
        finally:
            if before:
                termios.tcsetattr(0, termios.TCSADRAIN, before)

    def _turn(self) -> None:
        doors: list[socket.socket | int] = [0, *self._consoles.values()]
        for door in select.select(doors, [], [], 0.5)[0]:
            if door == 0:
                typed = os.read(0, 1024)
                self.running = bool(typed)
                self._typed(typed)
        for name, console in list(self._consoles.items()):
            self._drain(name, console)

    def _drain(self, name: str, console: socket.socket) -> None:
        try:
            octets = console.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if not octets:
            del self._consoles[name]
        elif name == self._shown:
            os.write(1, octets)

    def _typed(self, octets: bytes) -> None:
        for number in range(len(octets)):
            octet = octets[number : number + 1]
            if self._escaped:
                self._escaped = False
                self._key(octet.decode("latin1"))
            elif octet == ESCAPE:
                self._escaped = True
            elif console := self._consoles.get(self._shown):
                console.sendall(octet)

    def _key(self, key: str) -> None:
        machine = self._bench.machines[self._shown]
        if key in self._bench.machines:
            self._shown = key
            self._tell(f"console of {key}")
        elif key == "q":
            self.running = False
        elif key == "s" and not machine.alive:
            self._bench.again(self._shown)
            self._consoles[self._shown] = connect(machine.plan.place("console"))
            self._tell(f"{self._shown} is switched on")
        elif key == "x" and self._bench.wired:
            self._bench.wired.crossover = not self._bench.wired.crossover
            self._tell(f"crossover {'plugged' if self._bench.wired.crossover else 'pulled'}")
        elif key in ("1", "2") and machine.alive:
            self._pull(machine, int(key) - 1)
        elif machine.alive and key in _DEEDS:
            word, deed = _DEEDS[key]
            deed(machine)
            self._tell(f"{self._shown} is {word}")
        else:
            self._tell(KEYS)

    def _pull(self, machine: Machine, lan: int) -> None:
        number = list(self._bench.machines).index(machine.plan.name) * 2 + lan
        self._out ^= {number}
        machine.pull(lan, number in self._out)
        self._tell(f"LAN {lan + 1} of {machine.plan.name} {'pulled' if number in self._out else 'plugged'}")

    def _tell(self, text: str) -> None:
        wired = self._bench.wired
        driving = ", ".join(wired.driving()) if wired else ""
        os.write(2, f"\r\n[{text}; role contact closed: {driving or 'none'}]\r\n".encode())


_DEEDS: dict[str, tuple[str, Callable[[Machine], None]]] = {
    "k": ("killed", Machine.kill),
    "f": ("frozen", Machine.freeze),
    "t": ("thawed", Machine.thaw),
}


def main(arguments: list[str] | None = None) -> int:
    """Boot as the arguments say, until q."""
    parser = argparse.ArgumentParser(prog="./build.sh boot", description=__doc__, epilog=KEYS)
    parser.add_argument("--board", default=BOARD, choices=[BOARD])
    parser.add_argument("--pair", action="store_true", help="two of them, wired together")
    parser.add_argument("--image", type=Path, help="another image than the newest in out/")
    parser.add_argument("--keep", type=Path, help="a folder for disks and logs that stays; used again next time")
    options = parser.parse_args(arguments)
    try:
        host.need(host.BOOT, build.cache() / "log/host.log")
        image = options.image or newest(options.board)
        with tempfile.TemporaryDirectory(prefix="tandem-boot-") as temporary:
            folder = Path(options.keep or temporary)
            folder.mkdir(parents=True, exist_ok=True)
            bench = Bench(folder, image, "ab" if options.pair else "a", 1 if options.pair else 2)
            try:
                bench.start(keep_disks=options.keep is not None)
                Terminal(bench).run()
            finally:
                bench.end()
    except Failed as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
