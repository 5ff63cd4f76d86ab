"""A whole redundancy group on this machine as one object: `start`, `wait_ready`, `fault`, `measure`, `recover`, `stop`.

`./build.sh run`, the tests of the pair and the figures all use it. Every process is a child that dies with the thread
that started it, so nothing is left running, whatever ends this one.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tandem.config.load import load
from tools.bench.client import BenchClient, JsonLines
from tools.bench.controls import Operator
from tools.bench.faults import Fault, hurt, mend
from tools.bench.group import free_octet
from tools.bench.judge import Verdict, judge_controls, judge_events
from tools.bench.measure import Measurement, measure
from tools.bench.members import member_pair
from tools.bench.plan import MEMBERS
from tools.bench.processes import end, start, waited
from tools.bench.served import Served, served
from tools.bench.stage import Stage
from tools.bench.tail import Tail

READY_S = 40.0
_DRAIN_S = 1.5
Say = Callable[[str], None]


class NotReady(RuntimeError):
    """The group did not get where it should in time; the sentence says what it did instead."""


class Pair:
    """One run. `say` gets progress sentences; `rate` is the field's events a second, `centers` which ones call."""

    def __init__(
        self,
        config: str | Path,
        run: str | Path,
        octet: int | None = None,
        rate: float = 5.0,
        hold_ms: int = 600,
        foreign: bool = True,
        say: Say = lambda sentence: None,
        stage: Stage | None = None,
    ) -> None:
        self.run = Path(run)
        self.run.mkdir(parents=True, exist_ok=True)
        self.rate = rate
        self.hold_ms = hold_ms
        self.say = say
        self._octet = free_octet(octet)
        self.stage = stage or Stage()
        self.config_folder, self.board = self.stage.prepare(config, self.run, self._octet.number)
        self.config = load(str(self.config_folder))
        self.served: Served = served(self.config)
        self.members = member_pair(self.config_folder, self.run, self.board, self.stage.place)
        self.probe_host, other_center = self.stage.centers(self.config)
        self.foreign = foreign and other_center
        self.bench: BenchClient
        self.operator = Operator(self.run, self.served)
        self.field_ledger, self.probe_ledger = Tail(self.run / "field.jsonl"), Tail(self.run / "probe.jsonl")
        self.c104_ledger = Tail(self.run / "c104.jsonl")
        self.began_ns = 0
        self.restarted = 0
        """Members that ended by themselves since `begin` (their heart ends one that stands still)."""
        self._tools: dict[str, subprocess.Popen[bytes]] = {}

    # --- start and stop ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start everything. Raises NotReady with the last words of what did not start."""
        for name in ("field.jsonl", "probe.jsonl", "c104.jsonl", "control", "field.sock", "probe.sock"):
            (self.run / name).unlink(missing_ok=True)
        common = ["--config", str(self.config_folder), "--dir", str(self.run)]
        self.stage.open(self.say)
        self.say("starting the relay bench")
        self._tool("relaybench", [*common, "--board", str(self.board)], "control")
        self.bench = self.stage.client(self.run)
        self._make_keys()
        self.say("starting the field: relays on their serial lines, meters on the LAN, all served by pymodbus")
        self._tool("field", [*common, "--rate", str(self.rate), "--hold-ms", str(self.hold_ms)], "field.sock")
        self.say("starting member a and member b")
        for member in self.members.values():
            member.start()
        self.say("starting the control centers: our probe" + (" and c104's client" if self.foreign else ""))
        self._tool("probe", [*common, "--source", self.probe_host], "probe.sock")
        if self.foreign:
            self._tool("c104_center", common, "c104.jsonl")

    def _tool(self, name: str, arguments: list[str], sign: str) -> None:
        """Start a tool and wait until the file appears that says it is there."""
        log = self.run / f"{name}.log"
        process = self._tools[name] = start(
            name, ["-m", f"tools.bench.{name}", *arguments], log, inside=self.stage.place(name)
        )
        try:
            waited(process, self.run / sign, log)
        except OSError as error:
            raise NotReady(str(error)) from None

    def _make_keys(self) -> None:
        if all((self.run / m / "keys").exists() for m in MEMBERS):
            return
        self.say("pairing the members: keys and certificates")
        arguments = ["-m", "tandem", "pair", "--a", str(self.run / "a"), "--b", str(self.run / "b")]
        process = start("pair", arguments, self.run / "pair.log")
        if process.wait(60):
            raise NotReady(f"pairing failed: {(self.run / 'pair.log').read_text(errors='replace')[-500:]}")

    def wait_ready(self, timeout_s: float = READY_S, centers: bool = True) -> None:
        """Until one is active, the other standby, both in sync, the lines held, the probe answered.

        Once faults are done, a member that ended by itself is started again, as a box's service manager does.
        """
        until = time.monotonic() + timeout_s
        while missing := self._missing(centers):
            for member in self.members.values() if self.began_ns else ():
                if not member.alive:
                    self.restarted += 1
                    member.start()
            if time.monotonic() > until:
                last = "\n".join(f"{m.letter}: {m.last_words()}" for m in self.members.values())
                raise NotReady(f"after {timeout_s:g} s still missing: {missing}\n{last}")
            time.sleep(0.05)

    def _missing(self, centers: bool) -> str:
        status = {m: member.status() for m, member in self.members.items()}
        silent = [m for m in MEMBERS if not status[m]]
        if silent:
            return "an answer of " + " and ".join(f"member {m} ({self.members[m].trouble})" for m in silent)
        roles = sorted(str(s.get("role")) for s in status.values())
        if roles != ["active", "standby"]:
            return f"one active and one standby (they are {', '.join(roles)})"
        if not all(s.get("in_sync") for s in status.values()):
            return "both in sync"
        active = next(s for s in status.values() if s["role"] == "active")
        if str(active.get("lines", "held")) not in ("held", "none", "own"):
            return f"the lines (they are {active.get('lines')})"
        if centers and not self.probe({"do": "state"}).get("answered"):
            return "an answer to the probe"
        return ""

    def stop(self) -> None:
        """End everything, thawed first if need be."""
        self.operator.stop()
        for member in self.members.values():
            member.end()
        for process in reversed(list(self._tools.values())):
            end(process)
        self._tools.clear()
        if hasattr(self, "bench"):
            self.bench.close()
        self.stage.close()
        self._octet.close()

    def __enter__(self) -> Pair:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    # --- what is going on -------------------------------------------------------------------------------------

    @property
    def active(self) -> str | None:
        """The letter of the active member, None where there is none or more than one."""
        found = [m for m, member in self.members.items() if member.status().get("role") == "active"]
        return found[0] if len(found) == 1 else None

    def probe(self, question: dict[str, Any]) -> dict[str, Any]:
        """One question to the probe; {} where it cannot be answered."""
        return self._once("probe.sock", question)

    def field(self, question: dict[str, Any]) -> dict[str, Any]:
        """One question to the field; {} where it cannot be answered."""
        return self._once("field.sock", question)

    def _once(self, name: str, question: dict[str, Any]) -> dict[str, Any]:
        try:
            connection = JsonLines(self.run / name, timeout_s=15)
            try:
                return connection.ask(question)
            finally:
                connection.close()
        except (OSError, ValueError):
            return {}

    # --- faults -----------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """From now on events and controls are counted, and the operator commands once a second."""
        self.began_ns = time.monotonic_ns()
        self.operator.start()

    def fault(self, kind: str, member: str | None = None) -> Fault:
        """Hurt the group: kill, kill-all, stall, freeze, power, switchover, or a cable's name; default the active."""
        if self.stage.watch:
            self.probe({"do": "watch", "on": True})
        fault = hurt(self, kind, member or self.active or "a")
        self.operator.hurry()
        self.field({"do": "stir"})
        return fault

    def measure(self, fault: Fault, timeout_s: float = 10.0) -> Measurement:
        """What the outage was, as seen from outside; waits until everything is seen or the time is over."""
        try:
            return measure(self, fault, timeout_s)
        finally:
            self.calm()

    def calm(self) -> None:
        """The outage is over: operator and probe are patient again."""
        self.operator.calm()
        if self.stage.watch:
            self.probe({"do": "watch", "on": False})

    def recover(self, fault: Fault) -> None:
        """Mend what was hurt: thaw, restore, start again."""
        mend(self, fault)

    # --- the verdict ------------------------------------------------------------------------------------------

    def finish(self) -> tuple[Verdict, int, int]:
        """No more events and controls, a moment to drain, and (verdict, controls executed, controls doubled)."""
        self.operator.stop()
        self.field({"do": "rate", "value": 0})
        time.sleep(_DRAIN_S)
        sent = self.field_ledger.since(self.began_ns, "sent")
        heard = self.probe_ledger.since(self.began_ns, "event")
        done = self.field_ledger.since(self.began_ns, "control")
        executed, doubled = judge_controls(done, self.operator.point)
        return judge_events(sent, heard, self.tolerances()), executed, doubled

    def tolerances(self) -> dict[str, float]:
        """By served input point (counters excepted: they run free), how far two equal values may differ."""
        found: dict[str, float] = {}
        for row in self.served.inputs.values():
            if not row.point.startswith("_sys.") and "_IT_" not in row.type:
                scaled = row.type in ("M_ME_NB_1", "M_ME_TE_1")
                found[row.point] = 0.51 / (abs(row.scale) or 1.0) if scaled else 0.02
        return found
