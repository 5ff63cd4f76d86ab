"""Two booted images: first questions, pairing, and the bad days that the world around them can make, seen from outside.

The tests tell one story in this order: each leaves the pair in sync for the next.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator

import pytest

from tests.image.console import BOOT_S, compare_codes
from tests.image.figures import keep, of_start
from tests.image.rig import FILES, GROUP_ADDRESS, MACS, Rig, until
from tools.bench.plan import other
from tools.image.boot import BOARD, newest
from tools.image.run import Failed
from tools.lab.netns import trouble

SWITCH = "TANDEM_TEST_IMAGE"
MEMORY_MIB = 220
WATCHDOG_S = 60
LISTEN_S = 15.0
_NO_MERCY = (
    "sysctl -q kernel.sched_rt_runtime_us=-1; mount -t debugfs none /sys/kernel/debug;"
    " for server in /sys/kernel/debug/sched/fair_server/cpu*; do echo 0 >$server/runtime; done"
)
"""A kernel leaves some time for others beside a real-time process that never rests; this one does not."""


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    if not os.environ.get(SWITCH):
        pytest.skip("the image is not booted: ./build.sh test --image does")
    if not shutil.which("qemu-system-aarch64"):
        pytest.skip("qemu-system-aarch64 is not installed")
    if why := trouble():
        pytest.skip(f"the image is not booted: {why}")
    try:
        image = newest(BOARD)
    except Failed as error:
        pytest.skip(str(error))
    made = Rig(tmp_path_factory.mktemp("image"), image, image.with_suffix(".raucb"))
    yield made
    made.close()


def test_the_first_boot_asks_and_pairs(rig: Rig) -> None:
    one, two = rig.consoles["a"], rig.consoles["b"]
    one.first_boot("a", FILES)
    two.first_boot("b", {})
    compare_codes(one, two)
    for name, console in rig.consoles.items():
        console.log_in()
        assert "trial" in console.ask("show gateway.toml"), name
        assert "four plain words" not in rig.bench.machines[name].plan.place("log").read_text(errors="replace")


def test_every_unit_is_well_and_one_member_is_active(rig: Rig) -> None:
    config = rig.folder / "config"
    config.mkdir()
    for name, text in FILES.items():
        (config / name).write_text(text)
    rig.world.begin("tools.bench.field", config)
    rig.world.begin("tools.bench.c104_center", config)
    rig.one_active()
    rig.in_sync()
    rig.hears_anew("from the pair's first active")
    for name, root in rig.roots.items():
        until(lambda r=root: r.run("systemctl is-system-running").strip() == "running", f"{name} has started")  # type: ignore[misc]
        assert root.run("systemctl --failed --no-legend --plain") == "", name
        total, available = map(int, re.findall(r"(?:MemTotal|MemAvailable): *(\d+)", root.run("cat /proc/meminfo")))
        assert (total - available) / 1024 < MEMORY_MIB, name
        assert "ro" in re.findall(r" / squashfs (\S+) ", root.run("cat /proc/mounts"))[0].split(","), name
        assert root.run("getcap -r /usr/lib/tandem; id -u tandem").split()[-1] != "0", name


def test_the_active_is_killed_and_the_other_takes_over(rig: Rig) -> None:
    first = rig.one_active()
    rig.bench.machines[first].kill()
    until(lambda: rig.active() == [other(first)], f"{other(first)} took over")
    rig.hears_anew("from the successor")
    rig.switch_on(first)
    rig.in_sync()
    assert rig.active() == [other(first)]


def test_what_a_start_takes(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    standby = other(rig.one_active())
    root = rig.roots[standby]
    until(lambda: root.tried("systemctl is-system-running").strip() == "running", f"{standby} has started")
    start = of_start(rig, standby)
    keep(start, newest(BOARD).with_suffix(".start.json"))
    with capsys.disabled():
        print(f"\n{start.told()}")
    assert 0 < start.unit_to_role_s < start.panel_s
    assert start.role_share < 2, "the role was shown long after everything else had started"


def test_the_active_stands_still_and_answers_nothing_when_it_goes_on(rig: Rig) -> None:
    first = rig.one_active()
    rig.bench.machines[first].freeze()
    until(lambda: other(first) in rig.active(), f"{other(first)} took over")
    rig.hears_anew("from the successor")
    resumed = time.monotonic_ns()
    rig.bench.machines[first].thaw()
    until(lambda: rig.active() == [other(first)], f"{first} gave its role back")
    time.sleep(LISTEN_S)
    spoke = rig.world.spoken
    assert spoke[MACS[other(first)], GROUP_ADDRESS] > resumed
    assert spoke.get((MACS[first], GROUP_ADDRESS), 0) < resumed, "the resumed one spoke for the group's address"
    rig.in_sync()
    rig.hears_anew("after that")


def test_the_lans_of_the_active_are_pulled(rig: Rig) -> None:
    first = rig.one_active()
    for lan in (0, 1):
        rig.bench.machines[first].pull(lan)
    until(lambda: rig.active() == [other(first)], f"{other(first)} took over")
    rig.hears_anew("from the successor")
    for lan in (0, 1):
        rig.bench.machines[first].pull(lan, out=False)
    rig.in_sync()
    assert rig.active() == [other(first)], "a member that has its LANs again asks for no role"


@pytest.mark.parametrize("unit", ["tandem-heart", "tandem"])
def test_a_killed_process_costs_the_role_and_no_more(rig: Rig, unit: str) -> None:
    first = rig.one_active()
    began = len(rig.wired.events)
    rig.roots[first].run(f"systemctl kill --signal=KILL {unit}.service")

    def dark() -> bool:
        return any((e.what, e.member, e.value) == ("led-active", first, 0) for e in rig.wired.events[began:])

    until(dark, f"{first} gave its role back")
    assert rig.one_active() == other(first), f"{other(first)} was there to take it"
    rig.hears_anew(f"after {unit} was killed")
    rig.in_sync()


def test_a_hung_machine_is_reset_by_its_watchdog(rig: Rig) -> None:
    first = rig.one_active()
    root = rig.roots[first]
    started = root.run("cat /proc/sys/kernel/random/boot_id")
    root.run(_NO_MERCY)
    root.run("(sleep 2; exec chrt -f 99 sh -c 'while :; do :; done') & true")
    until(lambda: rig.active() == [other(first)], f"{other(first)} took over")
    until(
        lambda: root.tried("cat /proc/sys/kernel/random/boot_id") not in ("", started),
        f"{first} was reset and is back",
        WATCHDOG_S + BOOT_S,
    )
    rig.in_sync()
    assert rig.active() == [other(first)], "who comes back asks for no role"


def test_a_power_cut_of_both_in_a_commit_under_heavy_traffic(rig: Rig) -> None:
    first = rig.one_active()
    before = {name: rig.status(name) for name in MACS}
    digests = {str(said["commit"]["running"]) for said in before.values() if said}  # type: ignore[index]
    assert len(digests) == 1
    rig.world.ask("field.sock", do="rate", value=100)
    console = rig.consoles[first]
    console.log_in()
    console.type("paste gateway.toml")
    console.until("full stop")
    console.paste(FILES["gateway.toml"].replace("normal = 500", "normal = 700"))
    console.until("tandem> ")
    console.type("commit")
    time.sleep(8)
    for machine in rig.bench.machines.values():
        machine.kill()
    rig.world.ask("field.sock", do="rate", value=5)
    for name in MACS:
        rig.switch_on(name)
    rig.in_sync(2 * BOOT_S)
    after = {name: rig.status(name) for name in MACS}
    for name, said in after.items():
        assert said and said["epoch"] > before[name]["epoch"], f"{name} lost a claim"  # type: ignore[index,operator]
    running = {str(said["commit"]["running"]) for said in after.values() if said}  # type: ignore[index]
    assert len(running) == 1
    rig.hears_anew("after the power cut")


def test_the_other_slot_boots(rig: Rig) -> None:
    standby = other(rig.one_active())
    root = rig.roots[standby]
    size = newest(BOARD).with_suffix(".raucb").stat().st_size
    root.run(f"head -c {size} /dev/vdb >/data/update.raucb")
    said = root.run("rauc install /data/update.raucb; rm /data/update.raucb", BOOT_S)
    assert "succeeded" in said, said
    rig.consoles[standby].log_in()
    rig.consoles[standby].type("reboot")
    until(lambda: "rauc.slot=B" in root.tried("cat /proc/cmdline"), f"{standby} runs from slot B")
    rig.in_sync()
    until(lambda: "boot status: good" in root.tried("rauc status"), "slot B is marked good")
    for machine in rig.bench.machines.values():
        assert "does not fill its partition" not in machine.plan.place("log").read_text(errors="replace")
