"""The terminal of `./build.sh run`: both front panels, what the control centers see, events, and keys that do harm."""

from __future__ import annotations

import os
import select
import sys
import termios
import threading
import time
import tty
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live

from tools.bench.faults import Fault
from tools.bench.measure import Measurement
from tools.bench.pair import NotReady, Pair
from tools.bench.plan import MEMBERS
from tools.run.picture import Picture
from tools.run.words import outage_lines

_PICTURE_S = 0.2
_SAID_MOST = 8
_MEASURE_S = 8.0
_CUT_S = 4.0  # a cut may move nothing: no longer than this is waited for
_SHORTEST = 34


class Screen:
    """What is shown, and what the keys do. Harm and mending happen in this thread, measuring in another."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.picture = Picture(pair)
        self.said: deque[str] = deque(maxlen=_SAID_MOST)
        self.hurt: list[Fault] = []
        self.ended = False
        self._measuring: threading.Thread | None = None
        lans = [lan.name for lan in pair.config.lans]
        self._keys = {
            "k": lambda: self._fault("kill"),
            "f": lambda: self._fault("freeze"),
            "p": lambda: self._fault("power"),
            "s": lambda: self._fault("switchover"),
            "x": lambda: self._cut("crossover"),
            "r": self._restore,
            "c": self._control,
            "q": self._quit,
            "\x03": self._quit,
            **{str(i + 1): lambda lan=lan: self._cut(lan) for i, lan in enumerate(lans[:2])},  # type: ignore[misc]
        }

    def key(self, key: str) -> None:
        """Do what a key means; anything else does nothing."""
        action = self._keys.get(key)
        if action is None:
            return
        try:
            action()
        except (OSError, ValueError) as error:
            self.say(f"that did not work: {error}")

    def say(self, sentence: str) -> None:
        """One line below the panels."""
        self.said.append(f"{time.strftime('%H:%M:%S')}  {sentence}")

    def _fault(self, kind: str) -> None:
        if self._measuring is not None and self._measuring.is_alive():
            self.say("the last failover is still being measured")
            return
        active = self.pair.active
        if active is None:
            self.say("no member is active at the moment")
            return
        fault = self.pair.fault(kind, active)
        if kind != "switchover":
            self.hurt.append(fault)
        self.say(f"{kind} of member {active}" + ("" if kind == "switchover" else "; r restores it"))
        self._measure(fault)

    def _cut(self, what: str) -> None:
        member = self.pair.active or "a"
        fault = self.pair.fault(what, member)
        self.hurt.append(fault)
        whose = "" if what == "crossover" else f" of member {member}"
        self.say(f"cut {what}{whose}; r restores it")
        self._measure(fault, _CUT_S)

    def _measure(self, fault: Fault, timeout_s: float = _MEASURE_S) -> None:
        """Say what it took; a cut that took no session away took nothing."""

        def work() -> None:
            found: Measurement = self.pair.measure(fault, timeout_s)
            if found.data_ms is not None or fault.kind != "cut":
                for line in outage_lines(found):
                    self.say(line)

        self._measuring = threading.Thread(target=work, daemon=True)
        self._measuring.start()

    def _restore(self) -> None:
        if not self.hurt:
            self.say("nothing is cut and nobody is hurt")
        for fault in self.hurt:
            self.pair.recover(fault)
            self.say(f"restored: {fault.what or 'member ' + fault.member}")
        self.hurt.clear()

    def _control(self) -> None:
        """A control of the first row that selects first, else of the first row: trip, close, trip ..."""
        outputs = self.pair.served.outputs
        if not outputs:
            self.say("this configuration serves no control")
            return
        ioa, row = next(((i, r) for i, r in sorted(outputs.items()) if r.control == "sbo"), min(outputs.items()))
        value = self.picture.next_value(row)
        select_first = row.control == "sbo"

        def work() -> None:
            question = {"do": "command", "ioa": ioa, "value": value, "select": select_first}
            answer = self.pair.probe(question)
            word = "confirmed" if answer and not answer.get("negative") else "refused" if answer else "not answered"
            self.say(f"control {row.point} = {value:g}: {word}")

        threading.Thread(target=work, daemon=True).start()

    def _quit(self) -> None:
        self.ended = True


def run_screen(pair: Pair) -> int:
    """Show and obey until q."""
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise ValueError("there is no terminal here; use --headless")
    console = Console()
    if console.size.height < _SHORTEST:
        pair.say(f"this terminal has {console.size.height} lines; the picture wants {_SHORTEST}")
    pair.say("waiting until one is active, the other standby, both in sync")
    try:
        pair.wait_ready()
    except NotReady as error:
        pair.say(str(error))
    pair.begin()
    screen = Screen(pair)
    screen.say("in sync: press k to kill the active")
    with _raw_keys(), Live(console=console, screen=True, auto_refresh=False) as live:
        while not screen.ended:
            status = {m: pair.members[m].status() for m in MEMBERS}
            live.update(screen.picture.draw(status, list(screen.said)), refresh=True)
            for key in _keys(_PICTURE_S):
                screen.key(key)
    pair.say("ending")
    verdict, executed, doubled = pair.finish()
    print(f"{verdict.sent} events sent, {verdict.lost} lost, {verdict.repeated} repeated; "
          f"{executed} controls executed, {doubled} doubled")  # fmt: skip
    return 0


@contextmanager
def _raw_keys() -> Iterator[None]:
    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    try:
        tty.setcbreak(fd)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def _keys(wait_s: float) -> str:
    """The keys of the next moment."""
    if not select.select([sys.stdin], [], [], wait_s)[0]:
        return ""
    return os.read(sys.stdin.fileno(), 16).decode(errors="ignore")
