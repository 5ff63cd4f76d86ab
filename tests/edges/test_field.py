"""The field: a line and a meter served by pymodbus, a ledger that says what was given out and what was executed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient

from tandem.config.load import load
from tests.edges.relaybench import EXAMPLE, Rig, rig
from tools.bench.client import JsonLines
from tools.bench.field.image import DeviceImage
from tools.bench.field.play import sequence_of
from tools.bench.processes import end, start


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Rig]:
    with rig(tmp_path) as made:
        arguments = ["-m", "tools.bench.field", "--config", str(made.config), "--dir", str(made.run), "--hold-ms", "50"]
        process = start("field", [*arguments, "--rate", "50"], tmp_path / "field.log")
        try:
            JsonLines(made.run / "field.sock", wait_s=10).close()
            yield made
        finally:
            end(process)
        assert "Traceback" not in (tmp_path / "field.log").read_text(), (tmp_path / "field.log").read_text()


def ledger(world: Rig, what: str, point: str | None = None) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (world.run / "field.jsonl").read_text().splitlines()]
    return [line for line in lines if line["what"] == what and point in (None, line["point"])]


async def line(world: Rig) -> AsyncModbusSerialClient:
    client = AsyncModbusSerialClient(str(world.run / "bus1-a"), framer=FramerType.RTU, timeout=0.3, retries=0)
    assert await client.connect()
    return client


def test_a_relay_answers_its_line_and_executes_controls_once(world: Rig) -> None:
    world.close_contact("a")

    async def talk() -> None:
        client = await line(world)
        contacts = await client.read_discrete_inputs(0, count=3, device_id=1)
        assert contacts.bits[:3] == [True, False, False], "open contact, closed contact, earth switch"
        assert not (await client.write_coil(0, True, device_id=1)).isError()
        assert not (await client.write_coil(0, False, device_id=1)).isError()
        assert not (await client.write_register(0, 321, device_id=1)).isError()
        assert (await client.read_holding_registers(0, device_id=1)).registers == [321]
        await asyncio.sleep(0.1)
        contacts = await client.read_discrete_inputs(0, count=2, device_id=1)
        assert contacts.bits[:2] == [False, True], "the breaker followed"
        client.close()

    asyncio.run(talk())
    done = [(e["point"], e["value"]) for e in ledger(world, "control")]
    assert done == [("F1.trip_close", 2.0), ("F1.trip_close", None), ("F1.tap_setpoint", 321.0)]


def test_the_ledger_knows_every_value_that_a_reply_carried(world: Rig) -> None:
    world.own("a")
    got: list[float] = []

    async def talk() -> None:
        client = AsyncModbusTcpClient(
            world.on_plane("a", "1.50"), port=5020, source_address=(world.on_plane("a", "1.10"), 0), timeout=1
        )
        assert await client.connect()
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            words = (await client.read_holding_registers(0, count=2, device_id=1)).registers
            value = client.convert_from_registers(words, client.DATATYPE.FLOAT32)
            assert isinstance(value, float)
            if not got or got[-1] != value:
                got.append(value)
            await asyncio.sleep(0.02)
        client.close()

    asyncio.run(talk())
    sent = [e["value"] for e in ledger(world, "first", "M1.active_power") + ledger(world, "sent", "M1.active_power")]
    assert sent == pytest.approx(got)
    assert len(got) > 5
    assert len(set(got)) == len(got), "each event has a value of its own"
    assert min(abs(a - b) for a, b in pairwise(got)) > 1, "each is beyond the deadband"


def test_only_devices_that_are_there_and_well_answer(world: Rig) -> None:
    world.close_contact("a")
    field = JsonLines(world.run / "field.sock")

    async def answers(unit: int) -> bool:
        client = await line(world)
        try:
            return not (await client.read_discrete_inputs(0, count=1, device_id=unit)).isError()
        except Exception:
            return False
        finally:
            client.close()

    assert asyncio.run(answers(1))
    assert not asyncio.run(answers(2)), "F2 is wired later"
    field.ask({"do": "silent", "device": "F1"})
    assert not asyncio.run(answers(1))
    field.ask({"do": "garbled", "device": "F1"})
    assert not asyncio.run(answers(1))
    field.ask({"do": "well", "device": "F1"})
    assert asyncio.run(answers(1))
    field.close()


def test_every_generated_value_is_an_event_for_master_and_slave() -> None:
    config = load(str(EXAMPLE))
    rows = {row.point: row for slave in config.slaves for row in slave.rows}
    for master in config.masters:
        for device in master.devices:
            for p in DeviceImage(device).points:
                if not p.point.kind.is_measured or p.point.kind.word == "counter":
                    continue
                row = rows.get(p.name)
                values = sequence_of(p, [row] if row else [])
                deadband = max(p.point.deadband, row.deadband if row else 0)
                steps = [abs(a - b) for a, b in pairwise(values)]
                assert len(values) >= 20 and min(steps) > deadband, p.name
                assert all(abs(v * row.scale) <= 32767 for v in values) if row and row.type == "M_ME_TE_1" else True
