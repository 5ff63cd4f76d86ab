"""The laboratory as a stage: the same orchestra between network namespaces. What is made here is always removed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tandem.config.load import load
from tandem.config.model import Config
from tools.bench.client import BenchClient
from tools.bench.plan import MEMBERS, other
from tools.bench.processes import ROOT, end, start, waited
from tools.bench.stage import Stage
from tools.lab import netns
from tools.lab.site import center_hosts, prepare
from tools.lab.topology import WIRES, Topology, add_rivals, topology
from tools.lab.wires import LabClient, Wires

_WHERE = {"relaybench": "", "c104_center": "center", "probe": "center"}


class Lab(Stage):
    """One laboratory. `relays`: role relays are played and arbitrate the lines; else software arbitrates."""

    watch = True

    def __init__(self, relays: bool = True, rivals: bool = False) -> None:
        self._relays = relays
        self._with_rivals = rivals
        self.rival_group = ""
        self.octet = 0
        self.plan: Topology
        self.config: Config
        self._run = Path()
        self._wires: Wires | None = None
        self._observer: subprocess.Popen[bytes] | None = None
        self._reaper: subprocess.Popen[bytes] | None = None

    def prepare(self, config: str | Path, run: Path, octet: int) -> tuple[Path, Path]:
        """The configuration moved onto interfaces, and a board whose network is the kernel's."""
        if why := netns.trouble():
            raise netns.NotPermitted(why)
        self._run, self.octet = run, octet
        folder, board = prepare(config, run, octet, self._relays)
        self.config = load(str(folder))
        hosts = [host for host in center_hosts(self.config)[::-1] if host]  # c104 calls from the first, it cannot bind
        if self._with_rivals:
            hosts.append(self.rival_center)
        self.plan = topology(self.config, f"tandem-{octet}-", tuple(hosts))
        if self._with_rivals:
            self.rival_group = add_rivals(self.plan, self.config)
        return folder, board

    def centers(self, config: Config) -> tuple[str, bool]:
        """The probe's own address, and whether c104's client has one too."""
        probe, foreign = center_hosts(config)
        return probe, bool(foreign)

    def place(self, who: str) -> str:
        """The file of somebody's namespace; the relay bench is on this side of them all."""
        name = _WHERE.get(who, who)
        return netns.place(self.plan.name(name)) if name else ""

    def open(self, say: Callable[[str], None]) -> None:
        """Make namespaces and cables, and begin to observe. Raises NotPermitted with what the machine refuses."""
        netns.sweep(self.octet)
        say(f"making the namespaces {', '.join(self.plan.name(who) for who in self.plan.who)}")
        command = [sys.executable, "-m", "tools.lab.reaper", str(self.octet)]
        self._reaper = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, cwd=ROOT)
        for inside, lines in self.plan.words():
            netns.ip(lines, inside)
        with netns.within(self.plan.name("router")):
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
            if self.plan.has_ip6:
                Path("/proc/sys/net/ipv6/conf/all/forwarding").write_text("1")
        self._wires = Wires(self.plan)
        self._observer = self.observe(self._run, MEMBERS, self.group_addresses)

    def observe(self, run: Path, whose: tuple[str, ...], group: list[str]) -> subprocess.Popen[bytes]:
        """An observer at these cables, for these addresses; its socket is in the folder. Raises OSError."""
        (run / "observer.sock").unlink(missing_ok=True)
        ports = [f"{leg.who}:{leg.lan}:{leg.port}" for leg in self.plan.legs if leg.who in whose]
        words = [word for port in ports for word in ("--port", port)]
        words += [word for ip in group for word in ("--group", ip)]
        arguments = ["-m", "tools.lab.observer", "--dir", str(run), *words]
        log = run / "observer.log"
        observer = start("observer", arguments, log, inside=netns.place(self.plan.name(WIRES)))
        waited(observer, run / "observer.sock", log)
        return observer

    @property
    def rival_center(self) -> str:
        """Where the rivals' probe calls from: beside ours."""
        return center_hosts(self.config)[0].rpartition(".")[0] + ".99"

    @property
    def wires(self) -> Wires:
        """The cables, while the laboratory is open."""
        assert self._wires is not None, "the laboratory is not open"
        return self._wires

    @property
    def group_addresses(self) -> list[str]:
        """What only one member may answer for."""
        return [address.ip for lan in self.config.lans for address in lan.group]

    def client(self, run: Path) -> BenchClient:
        """The wires, the observer and the relay bench in one."""
        assert self._wires is not None
        return LabClient(run, self._wires, [lan.name for lan in self.config.lans])

    def late(self, bench: BenchClient, since_ns: int, loser: str) -> int:
        """As the observer saw it, resets apart."""
        assert isinstance(bench, LabClient)
        return int(bench.judge(since_ns, loser, other(loser))["late"])

    def close(self) -> None:
        """Remove it all; the reaper finds nothing left."""
        if self._observer is not None:
            end(self._observer)
        if self._wires is not None:
            self._wires.close()
        netns.sweep(self.octet)
        if self._reaper is not None and self._reaper.stdin is not None:
            self._reaper.stdin.close()
            self._reaper.wait()
        self._observer = self._wires = self._reaper = None
