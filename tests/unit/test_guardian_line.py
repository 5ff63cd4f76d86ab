"""A simulated guardian and its line: what arrives, what it drives, and what the checker calls a good beat."""

from __future__ import annotations

import pytest

from tools.sim.guardian import HANGS_NS, KINDS, Controller
from tools.sim.site import Site
from tools.sim.uart import Uart
from tools.sim.world import MS, World

FRAME = bytes(range(30))


class Line:
    """One direction, and what came out of it when."""

    def __init__(self) -> None:
        self.world = World(3)
        self.came: list[tuple[float, bytes]] = []
        self.uart = Uart(self.world, lambda octets: self.came.append((self.world.elapsed_ms, octets)))

    def sends(self, times: int = 1, every_ms: int = 10) -> list[tuple[float, bytes]]:
        for _ in range(times):
            self.uart.send(FRAME)
            self.world.run(every_ms * MS)
        return self.came


def test_a_frame_takes_its_octets_time() -> None:
    ((at_ms, octets),) = Line().sends()
    assert octets == FRAME and 2.5 < at_ms < 2.7


def test_no_second_frame_waits_in_the_port() -> None:
    line = Line()
    line.uart.send(FRAME)
    line.uart.send(FRAME)
    line.world.run(20 * MS)
    assert len(line.came) == 1


def test_what_a_line_can_do_to_a_frame() -> None:
    line = Line()
    line.uart.cut = True
    assert line.sends(3) == []
    line.uart.heal()
    line.uart.late_ns = 40 * MS
    assert line.sends() == []
    line.world.run(40 * MS)
    assert len(line.came) == 1
    line.uart.heal()
    line.uart.stuck = True
    assert len(line.sends(4)) == 1
    line.uart.free()
    assert line.came[1][1] == 4 * FRAME
    line.uart.noisy = True
    assert any(octets != FRAME for _, octets in line.sends(20)[2:])


@pytest.fixture(scope="module")
def site() -> Site:
    made = Site(4, board="guardian")
    made.world.run(3000 * MS)
    return made


def active(site: Site) -> Controller:
    letters = [letter for letter, member in site.members.items() if member.node.is_active]
    assert len(letters) == 1, "a cold start ends with one active"
    return site.controllers[letters[0]]


def test_the_active_holds_its_relays_through_its_guardian(site: Site) -> None:
    controller = active(site)
    assert controller.guardian.watchdog and controller.guardian.role and site.bench.relays.contact(controller.letter)
    assert site.members[controller.letter].node.role.lines_held
    assert site.world.now - controller.good_ns < 20 * MS
    assert all(each.guardian.watchdog for each in site.controllers.values()), "the standby's K1 is held too"


def test_a_cut_line_opens_both_relays_and_the_other_member_serves(site: Site) -> None:
    controller = active(site)
    mend = controller.hurt("uart-cut")
    site.world.run(113 * MS)
    assert not site.bench.relays.contact(controller.letter) and not controller.guardian.role
    site.world.run(1500 * MS)
    assert active(site) is not controller and not controller.well
    mend()
    site.world.run(3500 * MS)
    assert controller.well and active(site) is not controller
    assert site.members[controller.letter].node.role.role.word == "standby"


def test_one_that_hangs_holds_until_its_own_watchdog_resets_it(site: Site) -> None:
    controller = active(site)
    nonce = controller._nonce
    controller.hurt("guardian-hang")
    site.world.run(HANGS_NS - 10 * MS)
    assert site.bench.relays.contact(controller.letter)
    site.world.run(30 * MS)
    assert not site.bench.relays.contact(controller.letter) and controller._nonce != nonce


def test_every_kind_of_fault_is_one_that_can_be_done(site: Site) -> None:
    controller = site.controllers["a"]
    for kind in KINDS:
        controller.hurt(kind)()
    site.world.run(4000 * MS)
    assert active(site)
