"""Who answers on the LANs: when an address is lost and there again, who asks whom, and what it does to health."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tandem.action import Probe
from tandem.config.load import parse_group
from tandem.config.model import Condition, Config
from tandem.database import Database
from tandem.health import BEST, COST, REMEMBERED_NS, Health, judgements
from tandem.journal import Journal
from tandem.point import MS, SECOND
from tandem.registry import Registry
from tandem.standby.reach import DEVICE_ROUNDS, ROUND_NS, Reach, lost_targets, targets
from tandem.system import point_table
from tests.support.configs import example

ROUTER = ("gateway.toml", "[serial.crossover]", '[lan.field]\ngroup = "10.9.1.10/24"\nreference = "10.9.1.1"\n'
          'a = { interface = "f0", address = "10.9.1.11/24" }\nb = { interface = "f0", address = "10.9.1.12/24" }\n\n'
          "[serial.crossover]")  # fmt: skip


@pytest.fixture(scope="module")
def config() -> Config:
    found, findings = parse_group(example(ROUTER), None)
    assert found is not None, findings
    return found


class Rig:
    """Reach in virtual time; `dead` hosts answer nothing."""

    def __init__(self, config: Config, serving: bool = False) -> None:
        self.reach, self.now, self.serving = Reach(config), 0, serving
        self.dead: set[str] = set()
        self.asked: list[tuple[int, str]] = []
        self.reach.begin(0)

    def run(self, ms: int) -> None:
        until = self.now + ms * MS
        while self.now < until:
            for probe in self.reach.tick(self.now, self.serving):
                assert isinstance(probe, Probe)
                self.asked.append((self.now // MS, probe.key))
                if probe.host not in self.dead:
                    self.reach.answered(probe.key)
            due = self.reach.due()
            self.now = min(until, max(due or until, self.now + MS))

    def count(self, key: str) -> int:
        return sum(asked == key for _, asked in self.asked)


def test_who_is_asked(config: Config) -> None:
    assert [target.key for target in targets(config)] == ["lan:field", *(
        f"device:{d.name}" for m in config.masters if m.name == "meters" for d in m.devices if d.enabled
    )]  # fmt: skip


def test_an_address_is_asked_each_round_and_lost_after_three_misses(config: Config) -> None:
    rig = Rig(config)
    rig.run(10_000)
    assert rig.reach.there("lan:field") is True and 10 <= rig.count("lan:field") <= 12
    assert 1 <= rig.count("device:M1") <= 3
    rig.dead.add("10.9.1.1")
    began = rig.now
    while rig.reach.there("lan:field"):
        rig.run(10)
    assert rig.now - began <= ROUND_NS + SECOND
    assert lost_targets(rig.reach) == ["10.9.1.1, the reference of LAN field, does not answer"]
    rig.dead.clear()
    rig.run(ROUND_NS // MS + 10)
    assert rig.reach.there("lan:field") is True and not rig.reach.lost()


def test_one_lost_frame_is_nothing(config: Config) -> None:
    rig = Rig(config)
    for _ in range(10):
        rig.run(2000)
        rig.dead.add("10.9.1.1")
        while rig.asked[-1][1] != "lan:field" or rig.asked[-1][0] < rig.now // MS - 20:
            rig.run(10)
        rig.dead.clear()
        assert rig.reach.there("lan:field") is True


def test_only_a_standby_asks_devices(config: Config) -> None:
    rig = Rig(config)
    rig.dead.update(target.host for target in targets(config) if target.key.startswith("device:"))
    rig.run(DEVICE_ROUNDS * ROUND_NS // MS)
    assert rig.reach.there("device:M1") is False
    assert lost_targets(rig.reach)[0].startswith("a takeover would not find M1")
    rig.serving = True
    rig.run(100)
    asked = rig.count("device:M1")
    rig.run(20_000)
    assert rig.reach.there("device:M1") is None and rig.count("device:M1") == asked
    rig.serving, rig.dead = False, set()
    rig.run(100)
    assert rig.reach.there("device:M1") is True


def test_a_peer_whose_health_falls_has_the_devices_asked_at_once(config: Config) -> None:
    rig = Rig(config)
    rig.run(20_000)
    rig.dead.update(target.host for target in targets(config))
    began = rig.now
    while rig.reach.there("device:M1"):
        for probe in rig.reach.tick(rig.now, False, 255 if rig.now < began + 20 * MS else 195):
            assert isinstance(probe, Probe) and probe.host in rig.dead
        rig.now += 10 * MS
    assert rig.now - began <= 400 * MS, "before half a second, in which the peer waits for what we say"


def test_who_cannot_ask_knows_nothing(config: Config) -> None:
    rig = Rig(config)
    rig.dead.add("10.9.1.1")
    rig.run(5000)
    assert rig.reach.there("lan:field") is False
    assert "10.9.1.1 on LAN field cannot be asked" in rig.reach.unable("lan:field", "not permitted")
    assert rig.reach.unable("lan:field", "not permitted") == "" and rig.reach.there("lan:field") is None
    asked = rig.count("lan:field")
    rig.run(20_000)
    assert rig.count("lan:field") == asked and rig.count("device:M1") > 1 and not rig.reach.lost()


def test_a_share_of_devices_that_answer_no_probe_counts_against_a_standby(config: Config) -> None:
    share = Condition("master.meters.down_share > 0.5", 500)
    config = replace(config, standby=replace(config.standby, conditions=(share,)))
    database = Database(point_table(config, Registry()), Journal(64, 64))
    there: dict[str, bool | None] = {}
    health = Health(judgements(config, database, lambda lan: True, dict, bool, there.get))
    now = 0

    def after(ms: int, serving: bool) -> int:
        nonlocal now
        health.look(now, serving)
        now += ms * MS
        health.look(now, serving)
        return health.value

    assert after(600, False) == BEST
    there.update({f"device:{d.name}": False for m in config.masters for d in m.devices})
    assert after(0, False) == BEST - COST, "an address that is lost was asked three times: that is damped enough"
    there.clear()
    assert after(59_000, False) == BEST - COST, "who serves needs a while to notice that they answer again"
    assert after(1000, False) == BEST
    there.update({f"device:{d.name}": False for m in config.masters for d in m.devices})
    assert after(500, True) == BEST, "who serves sees for itself"
    for device in (d for m in config.masters if m.name == "meters" for d in m.devices):
        database.set_local(database.table.id(f"_sys.device.{device.name}.ok"), 1.0, 1)
        database.set_local(database.table.id(f"_sys.device.{device.name}.ok"), 0.0, 2)
    there.clear()
    lost_while_serving = after(500, True)
    assert after(1000, False) == lost_while_serving, "remembered, whatever answers a ping"
    assert after(REMEMBERED_NS // MS, False) == BEST


def test_a_reference_that_is_silent_is_a_lan_that_is_down(config: Config) -> None:
    from tests.support.node_rig import NodeRig

    rig = NodeRig(ROUTER)
    rig.become_active()
    assert rig.node.lan_works("field")
    rig.node.reach.begin(rig.now)
    rig.after(3000)  # nobody answers
    assert not rig.node.lan_works("field") and rig.node.health.losses == ["lan.field.down"]
    assert rig.value("lan.field.reference") == 0 and "lan:field" in rig.node.status(rig.now)["unreachable"]  # type: ignore[operator]
    assert any("10.9.1.1" in alarm for alarm in rig.node.reporter.alarms())
    rig.node.probed("lan:field")
    rig.after(300)
    assert rig.node.lan_works("field") and rig.value("lan.field.reference") == 1 and rig.node.health.value == BEST
