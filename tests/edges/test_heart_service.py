"""The heart as a service of its own: systemd's part is played by a listening socket at descriptor 3."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edges.test_heart import Bench, heard

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
COMMAND = f"exec 3<&0 </dev/null; exec {sys.executable} -S -s -m tandem.heart --service"


class Service:
    """The socket unit, the notify socket, and one heart that waits at the door."""

    def __init__(self, folder: Path) -> None:
        self.systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.systemd.bind(str(folder / "notify"))
        self.door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.door.bind(str(folder / "heart.sock"))
        self.door.listen(4)
        env = {**os.environ, "PYTHONPATH": str(FIRMWARE), "NOTIFY_SOCKET": str(folder / "notify")}
        self.heart = subprocess.Popen(["sh", "-c", COMMAND], stdin=self.door, env=env, start_new_session=True)

    def close(self) -> None:
        self.heart.kill()
        self.heart.wait()
        self.door.close()
        self.systemd.close()


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    made = Service(tmp_path)
    monkeypatch.setenv("TANDEM_HEART", str(tmp_path / "heart.sock"))
    yield made
    made.close()


def test_a_supervisor_without_rights_has_its_heart_claim_and_release(service: Service, tmp_path: Path) -> None:
    bench = Bench(tmp_path, True)
    try:
        bench.run(1.5)
        words = [word for _, word in bench.seen]
        assert bench.heart_pid == 0, "it is no child of the supervisor"
        assert words.index("L") < words.index("A") < words.index("C1") < words.index("contact closed")
        assert b"READY=1" in heard(service.systemd)
        bench.seen.clear()
        bench.supervisor.send_signal(signal.SIGKILL)
        bench.run(1.5)
        words = [word for _, word in bench.seen]
        low = words.index("C0")
        assert words[low : low + 4] == ["C0", "D", "X", "contact open"]
        assert service.heart.wait(2) == 0, "its work done, the service has ended: the next supervisor starts a new one"
    finally:
        bench.close()


def test_a_stalled_supervisor_of_another_process_tree_is_killed(service: Service, tmp_path: Path) -> None:
    bench = Bench(tmp_path, True)
    try:
        bench.run(1.5)
        bench.supervisor.send_signal(signal.SIGSTOP)
        bench.run(1.5)
        assert bench.supervisor.wait(2) == -signal.SIGKILL
    finally:
        bench.close()


def test_a_visitor_who_is_gone_ends_the_heart_quietly(service: Service, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as visitor:
        visitor.connect(str(tmp_path / "heart.sock"))
    assert service.heart.wait(10) == 0


def test_without_a_socket_unit_the_refusal_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tandem.port.heart import HeartClient

    monkeypatch.setenv("TANDEM_HEART", str(tmp_path / "nobody"))
    with pytest.raises(OSError, match=r"heart's socket .*nobody: .* is its socket unit started"):
        HeartClient.spawn_plan({"rules": {"paths": []}})
