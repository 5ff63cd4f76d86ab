"""Where the orchestra of a run plays: here, on loopback addresses; the laboratory is another stage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tandem.config.model import Config
from tools.bench.client import BenchClient
from tools.bench.served import LOOPBACK, probe_source
from tools.bench.site import prepare


class Stage:
    """This machine's loopback: the relay bench plays every network, and nothing has to be made or removed."""

    watch = False
    """Whether the probe must look for itself, since nobody resets what a dead member leaves."""

    def prepare(self, config: str | Path, run: Path, octet: int) -> tuple[Path, Path]:
        """(configuration, board) folders in the run folder. Raises ConfigError, OSError, ValueError."""
        return prepare(config, run, octet)

    def centers(self, config: Config) -> tuple[str, bool]:
        """The probe's own address, and whether c104's client has one too."""
        hosts = [host for slave in config.slaves for center in slave.centers for host in center.hosts]
        probe = probe_source(config)
        return probe, probe != LOOPBACK and f"{LOOPBACK}/32" in hosts

    def place(self, who: str) -> str:
        """The file of the network namespace of a member or tool, "" for this one."""
        del who
        return ""

    def open(self, say: Callable[[str], None]) -> None:
        """Before anything is started. Raises OSError."""

    def client(self, run: Path) -> BenchClient:
        """What can be done to the world, once the relay bench runs."""
        return BenchClient(run)

    def late(self, bench: BenchClient, since_ns: int, loser: str) -> int:
        """Frames of a loser for a group address after its successor had it; here nothing of that kind can pass."""
        del bench, since_ns, loser
        return 0

    def close(self) -> None:
        """After everything ended."""
