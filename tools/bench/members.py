"""The two gateways as processes: started as a user starts them, asked over their local API, hurt by signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.bench.client import JsonLines
from tools.bench.plan import MEMBERS
from tools.bench.processes import alive, end, send, start

_ASK_S = 0.4
BOTH = ("heart", "supervisor")


class Member:
    """One gateway. `state` is its state folder, its output is in RUN/MEMBER.log."""

    def __init__(self, letter: str, config: Path, run: Path, board: Path, inside: str = "") -> None:
        self.letter = letter
        self.run = run
        self.state = run / letter
        self.log = run / f"{letter}.log"
        self._arguments = ["-m", "tandem", "gateway", "--config", str(config), "--member", letter]
        self._arguments += ["--state", str(self.state), "--board", str(board)]
        self._process: subprocess.Popen[bytes] | None = None
        self._api: JsonLines | None = None
        self.trouble = ""
        self._inside = inside
        self._lock = threading.RLock()  # a measuring thread and a screen both ask

    def beside(self, module: str, argument: str) -> None:
        """From its next start on the gateway is started by this module, which is told `argument` first."""
        self._arguments = ["-m", module, argument, *self._arguments[self._arguments.index("--config") :]]

    def start(self) -> None:
        """Start the gateway; what is left of an earlier one ends first. PR_SET_PDEATHSIG binds it to this thread."""
        self.end()
        (self.state / "pids.json").unlink(missing_ok=True)
        self._process = start(self.letter, self._arguments, self.log, {"TANDEM_BENCH": str(self.run)}, self._inside)

    def end(self) -> None:
        """End both processes, thawed first if need be."""
        self._forget()
        heart = self.pids().get("heart", 0)
        if self._process is not None:
            end(self._process)
            self._process = None
            if heart and alive(heart) and _is_heart(heart):
                send(heart, signal.SIGKILL)

    def pids(self) -> dict[str, int]:
        """{"supervisor": pid, "heart": pid} as the gateway wrote them; empty before that."""
        try:
            return {k: int(v) for k, v in json.loads((self.state / "pids.json").read_text()).items()}
        except (OSError, ValueError):
            return {}

    def signal(self, signum: int, *names: str) -> None:
        """Signal its processes in this order; for both the heart comes first: it must not see the other die."""
        pids = self.pids()
        for name in names:
            if name in pids:
                send(pids[name], signum)

    @property
    def alive(self) -> bool:
        """The supervisor runs or is frozen."""
        return self._process is not None and self._process.poll() is None

    @property
    def frozen(self) -> bool:
        """The supervisor is stopped by a signal."""
        try:
            stat = Path(f"/proc/{self.pids()['supervisor']}/stat").read_text()
        except (OSError, KeyError):
            return False
        return stat.rsplit(")", 1)[1].split()[0] == "T"

    def ask(self, question: str, **more: Any) -> dict[str, Any]:
        """One question to the local API. Raises OSError or ValueError where no answer comes."""
        if not self.alive or self.frozen:
            code = None if self._process is None else self._process.poll()
            raise ConnectionError(f"member {self.letter} does not run (exit code {code})")
        with self._lock:
            try:
                if self._api is None:
                    self._api = JsonLines(self.state / "api.sock", timeout_s=_ASK_S)
                return self._api.ask({"v": 1, "ask": question, **more})
            except OSError:
                self._forget()
                raise

    def status(self) -> dict[str, Any]:
        """The status, or {} when the gateway does not answer."""
        try:
            return dict(self.ask("status").get("status", {}))
        except (OSError, ValueError) as error:
            self.trouble = f"{type(error).__name__}: {error}"
            return {}

    def _forget(self) -> None:
        with self._lock:
            if self._api is not None:
                self._api.close()
                self._api = None

    def last_words(self, lines: int = 8) -> str:
        """The end of its log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


def _is_heart(pid: int) -> bool:
    try:
        return b"tandem" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def member_pair(config: Path, run: Path, board: Path, place: Callable[[str], str]) -> dict[str, Member]:
    """Both members of a run; `place` gives the file of a member's network namespace, "" for this one."""
    os.makedirs(run, exist_ok=True)
    return {m: Member(m, config, run, board, place(m)) for m in MEMBERS}
