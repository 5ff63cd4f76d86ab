"""Child processes that never outlive their parent, whatever kills it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PR_SET_PDEATHSIG = 1
_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


def end_with_parent(signum: int = signal.SIGKILL) -> None:
    """Ask the kernel to send this process `signum` when its parent ends."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signum, 0, 0, 0)


def enter(namespace: str) -> None:
    """Put this thread into the network namespace behind a file. Raises OSError."""
    fd = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _LIBC.setns(fd, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"the network namespace {namespace} cannot be entered")
    finally:
        os.close(fd)


def start(
    name: str, arguments: list[str], log: Path, environment: dict[str, str] | None = None, inside: str = ""
) -> subprocess.Popen[bytes]:
    """Start `python ARGUMENTS` in a process group of its own, its output appended to `log`.

    `inside`: the file of the network namespace that it lives in, "" for this one.
    """
    return launch(name, [sys.executable, *arguments], log, environment, inside)


def launch(
    name: str, command: list[str], log: Path, environment: dict[str, str] | None = None, inside: str = ""
) -> subprocess.Popen[bytes]:
    """Start a program as `start` starts Python."""

    def prepare() -> None:
        end_with_parent()
        if inside:
            enter(inside)

    env = {**os.environ, "PYTHONPATH": f"{ROOT / 'firmware'}:{ROOT}", "PYTHONUNBUFFERED": "1", **(environment or {})}
    with log.open("ab") as out:
        out.write(f"--- {name}: {' '.join(command)}\n".encode())
        out.flush()
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=env,
            start_new_session=True,
            preexec_fn=prepare,
        )


def waited(process: subprocess.Popen[bytes], sign: Path, log: Path, patience_s: float = 15.0) -> None:
    """Wait until the file appears that says a child is there. Raises OSError with its last words."""
    until = time.monotonic() + patience_s
    while not sign.exists():
        if process.poll() is not None or time.monotonic() > until:
            words = " / ".join(log.read_text(errors="replace").splitlines()[-3:])
            raise OSError(f"{log.stem} did not start: {words}")
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def send(pid: int, signum: int) -> None:
    """Signal a process; one that is gone is fine."""
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        pass


def end(process: subprocess.Popen[bytes], patience_s: float = 2.0) -> None:
    """End a child and its group: first asked, then killed, thawed in any case."""
    if process.poll() is None:
        _signal_group(process.pid, signal.SIGCONT)
        _signal_group(process.pid, signal.SIGTERM)
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            pass
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()


def _signal_group(pid: int, signum: int) -> None:
    try:
        os.killpg(pid, signum)
    except (ProcessLookupError, PermissionError):
        pass
