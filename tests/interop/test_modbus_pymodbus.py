"""The Modbus master against pymodbus's own server, over TCP and over a pty as RTU; mbpoll sees the same values."""

from __future__ import annotations

import os
import pty
import select
import shutil
import socket
import subprocess
import sys
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from tandem.config.model import Device, Point
from tandem.point import Double, Outcome, Quality
from tests.modbus_rig import Rig, point, serial_master, tcp_master
from tools.bench.modbus_reads import compile_server, servers

pytest.importorskip("pymodbus", reason="pymodbus is not installed: pip install pymodbus==3.16.1")
PEER = Path(__file__).with_name("modbus_peer.py")


def points(name: str) -> tuple[Point, ...]:
    """Inputs of every table and outputs of every function, as modbus_peer.py serves them."""
    return (
        point(f"{name}.volt", "analog", "input:0", scale=0.1),
        point(f"{name}.current", "analog", "holding:1", encoding="int16"),
        point(f"{name}.energy", "counter", "holding:2", encoding="uint32-cdab"),
        point(f"{name}.power", "analog", "holding:4", encoding="float32-dcba"),
        point(f"{name}.breaker", "double", "discrete:320+321"),
        point(f"{name}.bit", "binary", "holding:0.2"),
        point(f"{name}.lamp", "binary-output", "coil:336", scan="fast"),
        point(f"{name}.valve", "double-output", "coil:340+341", scan="fast"),
        point(f"{name}.horn", "binary-output", "coil:344", scan="fast", pulse_ms=100),
        point(f"{name}.setpoint", "analog-output", "holding:10", encoding="int16", scale=0.5, scan="fast"),
        point(f"{name}.level", "analog-output", "holding:12", encoding="float32-badc", scan="fast"),
        point(f"{name}.mode", "binary-output", "holding:14.3", scan="fast"),
        point(f"{name}.beyond", "analog", "holding:100", scan="slow"),
    )


class Pump:
    """Moves octets between a channel and a descriptor: all that the product's ports would do."""

    def __init__(self, rig: Rig, fd: int) -> None:
        self.rig, self.fd = rig, fd
        rig.now = time.monotonic_ns()
        rig.channel.start(rig.now, False)
        rig.channel.opened(rig.now)

    def turn(self) -> None:
        """One turn of a loop."""
        channel = self.rig.channel
        if octets := channel.outgoing():
            os.write(self.fd, octets)
        due = channel.due()
        wait = 0.05 if due is None else max(0.0, min(0.05, (due - time.monotonic_ns()) / 1e9))
        ready, _, _ = select.select([self.fd], [], [], wait)
        self.rig.now = time.monotonic_ns()
        if ready:
            channel.receive(os.read(self.fd, 4096), self.rig.now)
        channel.tick(self.rig.now)
        self.rig.events()

    def until(self, condition: object, seconds: float = 8.0) -> None:
        """Turn until `condition()` holds."""
        assert callable(condition)
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, (self.rig.said, self.rig.channel.statistics())
            self.turn()


def serve(*words: str) -> subprocess.Popen[str]:
    """Start pymodbus's server and wait until it listens."""
    peer = subprocess.Popen([sys.executable, str(PEER), *words], stdout=subprocess.PIPE, text=True)
    assert peer.stdout is not None
    assert peer.stdout.readline() == "listening\n"
    return peer


@pytest.fixture
def tcp_port() -> Iterator[int]:
    """The port of a pymodbus TCP server."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    peer = serve("tcp", str(port))
    yield port
    peer.kill()
    peer.wait()


@pytest.fixture
def line() -> Iterator[int]:
    """Our end of a pty pair whose other end a pymodbus RTU server holds."""
    ours, theirs = pty.openpty()
    tty.setraw(ours)
    tty.setraw(theirs)
    peer = serve("rtu", os.ttyname(theirs))
    yield ours
    peer.kill()
    peer.wait()
    os.close(ours)
    os.close(theirs)


def exercise(pump: Pump, name: str) -> dict[str, float]:
    """Every table is read, every kind of output written and read back; gives the device's counters."""
    rig = pump.rig
    pump.until(lambda: rig.value(f"_sys.device.{name}.ok") == 1)
    assert rig.value(f"{name}.volt") == pytest.approx(230.1)
    assert rig.value(f"{name}.current") == -1
    assert rig.value(f"{name}.energy") == 0x12345678
    assert rig.value(f"{name}.power") == 10.0
    assert rig.value(f"{name}.breaker") == Double.OFF
    assert rig.value(f"{name}.bit") == 1
    assert rig.quality(f"{name}.beyond") == Quality.INVALID, "pymodbus has no register 100"
    for ref, (output, value) in enumerate(
        [("lamp", 1), ("valve", Double.ON), ("setpoint", -3.5), ("level", 1.25), ("mode", 1), ("lamp", 0)], 1
    ):
        rig.order(f"{name}.{output}", value, ref=ref)
        pump.until(lambda: rig.reports)
        report = rig.reports.pop()
        assert (report.ref, report.outcome, report.sentence) == (ref, Outcome.DONE, "")
        pump.until(lambda point=f"{name}.{output}", value=value: rig.value(point) == value)
    rig.order(f"{name}.horn", 1, ref=99)
    pump.until(lambda: rig.value(f"{name}.horn") == 1)
    pump.until(lambda: rig.value(f"{name}.horn") == 0)
    assert [r.outcome for r in rig.reports] == [Outcome.DONE]
    return rig.channel.statistics()[name]


def clean(counters: dict[str, float]) -> bool:
    """Nothing went wrong on the way."""
    return counters["timeouts"] == counters["bad_replies"] == counters["crc_errors"] == counters["late_replies"] == 0


def test_tcp_server_of_pymodbus(tcp_port: int) -> None:
    device = Device("M1", 1, "127.0.0.1", tcp_port, points=points("M1"))
    rig = Rig(tcp_master(device, scan={"fast": 20, "slow": 1000}, timeout_ms=2000))
    with socket.create_connection(("127.0.0.1", tcp_port)) as connection:
        assert clean(exercise(Pump(rig, connection.fileno()), "M1"))


def test_several_requests_outstanding_at_a_libmodbus_server(tmp_path: Path) -> None:
    """pymodbus's server answers one request of a lump and drops the others, so libmodbus stands here."""
    try:
        program = compile_server(tmp_path)
    except RuntimeError as error:
        pytest.skip(str(error).splitlines()[0])
    with servers(program, 1, 1) as ports:
        numbers = tuple(point(f"M1.a{n}", "analog", f"holding:{n}") for n in range(1000))
        device = Device("M1", 1, "127.0.0.1", ports[0], points=numbers)
        rig = Rig(tcp_master(device, scan={"fast": 1}, timeout_ms=2000, options={"outstanding": 4}))
        with socket.create_connection(("127.0.0.1", ports[0])) as connection:
            pump = Pump(rig, connection.fileno())
            pump.until(lambda: rig.channel.statistics()["M1"]["answers"] > 500)
        statistics = rig.channel.statistics()["M1"]
        assert statistics["timeouts"] == statistics["bad_replies"] == statistics["late_replies"] == 0
        assert rig.value("M1.a0") > 100
        assert rig.value("M1.a1") == 0


def test_rtu_server_of_pymodbus_and_a_unit_that_is_not_there(line: int) -> None:
    devices = [Device(f"F{n}", n, points=points(f"F{n}")) for n in (1, 3)]
    rig = Rig(serial_master(*devices, scan={"fast": 50, "slow": 1000}, timeout_ms=400))
    pump = Pump(rig, line)
    assert clean(exercise(pump, "F1"))
    pump.until(lambda: any("F3 (unit 3 at bus1) does not answer" in text for text in rig.said))
    assert rig.value("_sys.device.F3.ok") == 0
    before = rig.channel.statistics()["F1"]["answers"]
    pump.until(lambda: rig.channel.statistics()["F1"]["answers"] > before + 20)


def test_mbpoll_sees_what_the_master_wrote(tcp_port: int) -> None:
    mbpoll = shutil.which("mbpoll")
    if mbpoll is None:
        pytest.skip("mbpoll is not installed: apt-get install mbpoll")
    device = Device("M1", 1, "127.0.0.1", tcp_port, points=points("M1"))
    rig = Rig(tcp_master(device, scan={"fast": 20, "slow": 1000}, timeout_ms=2000))
    with socket.create_connection(("127.0.0.1", tcp_port)) as connection:
        pump = Pump(rig, connection.fileno())
        rig.order("M1.setpoint", -3.5)
        pump.until(lambda: rig.value("M1.setpoint") == -3.5)
    common = [mbpoll, "-0", "-1", "-q", "-a", "1", "-p", str(tcp_port)]
    shown = subprocess.run(
        [*common, "-t", "4", "-r", "10", "-c", "1", "127.0.0.1"], capture_output=True, text=True, timeout=10, check=True
    )
    assert "[10]: \t65529 (-7)" in shown.stdout
    subprocess.run(
        [*common, "-t", "4:float", "-B", "-r", "4", "127.0.0.1"], capture_output=True, timeout=10, check=True
    )
    subprocess.run([*common, "-t", "4", "-r", "1", "127.0.0.1", "65531"], capture_output=True, timeout=10, check=True)
    with socket.create_connection(("127.0.0.1", tcp_port)) as connection:
        again = Rig(tcp_master(device, scan={"fast": 20}, timeout_ms=2000))
        pump = Pump(again, connection.fileno())
        pump.until(lambda: again.value("M1.current") == -5)
