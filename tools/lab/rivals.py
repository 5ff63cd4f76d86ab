"""keepalived in the same laboratory: two hosts, a virtual address, a plain responder behind it, the same probe."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from tools.bench.client import JsonLines
from tools.bench.plan import MS
from tools.bench.processes import end, launch, start, waited
from tools.bench.tail import Tail
from tools.lab import netns
from tools.lab.stage import Lab
from tools.lab.topology import RIVALS

SETTINGS = {
    "keepalived": (1.0, ""),
    "keepalived 0.1 s": (0.1, ""),
    "keepalived 0.01 s realtime": (0.01, "vrrp_rt_priority 50"),
}
"""Advertisement interval in seconds, and what else stands in global_defs."""
KINDS = ("kill", "freeze", "lans", "power")
_SIGNALS = {"kill": signal.SIGKILL, "power": signal.SIGKILL, "freeze": signal.SIGSTOP}
_READY_S, _FAULT_S, _REST_S, _THAWED_S = 20.0, 8.0, 0.5, 0.5
_ANSWERS = 20
_CONF = """global_defs {{
  router_id {who}
  vrrp_garp_master_repeat 3
  {more}
}}
vrrp_instance V {{
  state BACKUP
  nopreempt
  interface lan
  virtual_router_id 51
  priority {priority}
  version 3
  advert_int {interval}
  virtual_ipaddress {{
    {ip}/24 dev lan
  }}
}}
"""


@dataclass(slots=True)
class Outage:
    """One fault of a rival: `data_ms` as our probe saw it, `late` frames of the loser, resets apart."""

    kind: str
    data_ms: float | None
    late: int
    kinds: dict[str, int] = field(default_factory=dict)


def missing() -> str:
    """Why there is no rival here, "" where there is."""
    return "" if shutil.which("keepalived") else "keepalived is not installed: sudo apt-get install keepalived"


class Rival:
    """One setting of keepalived, running on both hosts with its observer and probe."""

    def __init__(self, lab: Lab, run: Path, setting: str, port: int) -> None:
        self.setting = setting
        self._lab, self._run, self._port = lab, run, port
        run.mkdir(parents=True, exist_ok=True)
        self._processes: dict[str, list[subprocess.Popen[bytes]]] = {who: [] for who in RIVALS}
        self._others: list[subprocess.Popen[bytes]] = []
        self._ledger = Tail(run / "probe.jsonl")

    def __enter__(self) -> Rival:
        for name in ("probe.jsonl", "probe.sock"):
            (self._run / name).unlink(missing_ok=True)
        self._others.append(self._lab.observe(self._run, RIVALS, [self._lab.rival_group]))
        self._observer = JsonLines(self._run / "observer.sock", wait_s=5.0)
        for who in RIVALS:
            self._start(who)
        words = ["--config", self._lab.config.folder, "--dir", str(self._run), "--host", self._lab.rival_group]
        words += ["--source", self._lab.rival_center]
        log = self._run / "probe.log"
        self._others.append(start("probe", ["-m", "tools.bench.probe", *words], log, inside=self._place("center")))
        waited(self._others[-1], self._run / "probe.sock", log)
        return self

    def __exit__(self, *_exc: object) -> None:
        for who in RIVALS:
            self._end(who)
        self._observer.close()
        for process in self._others:
            end(process)

    def _place(self, who: str) -> str:
        return netns.place(self._lab.plan.name(who))

    def _start(self, who: str) -> None:
        interval, more = SETTINGS[self.setting]
        priority = 100 + RIVALS.index(who)
        conf = self._run / f"{who}.conf"
        ip = self._lab.rival_group
        conf.write_text(_CONF.format(who=who, more=more, interval=interval, priority=priority, ip=ip))
        conf.chmod(0o600)
        command = ["keepalived", "-n", "-l", "-P", "-f", str(conf), "-p", f"{conf}.pid", "-r", f"{conf}.vrrp.pid"]
        log, inside = self._run / f"{who}.log", self._place(who)
        responder = start("responder", ["-m", "tools.lab.responder", "--port", str(self._port)], log, inside=inside)
        self._processes[who] = [responder, launch("keepalived", command, log, inside=inside)]

    def _end(self, who: str) -> None:
        for process in self._processes[who]:
            end(process)
        self._processes[who] = []
        for file in self._run.glob(f"{who}.conf*.pid"):
            file.unlink()
        command = ["ip", "-n", self._lab.plan.name(who), "address", "del", f"{self._lab.rival_group}/24", "dev", "lan"]
        subprocess.run(command, capture_output=True, check=False)

    def _ask(self, name: str, value: bool) -> None:
        connection = JsonLines(self._run / "probe.sock", timeout_s=5)
        connection.ask({"do": name, "on": value})
        connection.close()

    def ready(self) -> str:
        """Wait until one host answers the probe, and has been the only one for a moment; returns it."""
        until = time.monotonic() + _READY_S
        self._ask("watch", True)  # so that whoever has the address is heard all the time
        while time.monotonic() < until:
            began = time.monotonic_ns()
            time.sleep(2 * _REST_S)
            heard = {who: self._frames(who, began) for who in RIVALS}
            masters = [who for who in RIVALS if heard[who]]
            if len(masters) == 1 and heard[masters[0]] > _ANSWERS and not self._ledger.since(began, "lost"):
                return masters[0]
        raise OSError(f"{self.setting} did not settle in {_READY_S:g} s: see {self._run}")

    def _frames(self, who: str, since: int) -> int:
        found = self._observer.ask({"do": "frames", "since": since, "until": None, "member": who})["counts"]
        return sum(n for kind, n in found.items() if kind != "reset")

    def fault(self, kind: str) -> Outage:
        """Hurt the master, watch, mend (a frozen one is thawed and observed first), and judge its frames."""
        loser = self.ready()
        survivor = next(who for who in RIVALS if who != loser)
        lan = next(leg.lan for leg in self._lab.plan.legs if leg.who == loser)
        began = time.monotonic_ns()
        if kind in ("lans", "power"):
            self._lab.wires.carrier(loser, lan, False)
        if kind in _SIGNALS:
            for process in self._processes[loser]:
                os.killpg(process.pid, _SIGNALS[kind])
        found = Outage(kind, self._answered(began), 0)
        time.sleep(_REST_S)
        self._ask("watch", False)
        for process in self._processes[loser] if kind == "freeze" else ():
            os.killpg(process.pid, signal.SIGCONT)
        self._lab.wires.carrier(loser, lan, True)
        time.sleep(_THAWED_S)
        seen = self._observer.ask({"do": "judge", "since": began, "loser": loser, "survivor": survivor})
        found.late, found.kinds = seen["late"], seen["kinds"]
        self._end(loser)
        self._start(loser)
        return found

    def _answered(self, began: int) -> float | None:
        until = time.monotonic() + _FAULT_S
        while time.monotonic() < until:
            if answered := self._ledger.since(began, "answered"):
                return round((int(answered[0]["t"]) - began) / MS, 2)
            time.sleep(0.01)
        return None
