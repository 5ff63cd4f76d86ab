"""The control log: one story a control, its times, its end; what the flash is asked to take, and what comes back."""

from __future__ import annotations

from tandem.control_log import FILES, PAUSE_NS, PER_FILE, STEPS_MAX, STORIES_MAX, ControlLog, identity
from tandem.point import MS, SECOND, Command, Outcome, Report, Stage, Step

START = 1_000 * SECOND


def command(ref: int, step: Step = Step.DIRECT, center: str = "scada.north") -> Command:
    return Command(ref, 7, 2.0, step, center, START)


def came(log: ControlLog, asked: Command, now: int = START, theirs: str = "") -> None:
    log.came(asked, "F1.trip_close", "closed", asked.center, 1_700_000_000_000_000, now, theirs)


def done(ref: int, stage: Stage = Stage.CONFIRM, outcome: Outcome = Outcome.DONE, sentence: str = "") -> Report:
    return Report(ref, stage, outcome, sentence)


def test_a_select_and_its_execute_are_one_story() -> None:
    log = ControlLog("a", {})
    came(log, command(1, Step.SELECT))
    assert not log.report(done(1, sentence="F1.trip_close closed, select by scada.north: selected"), START + MS)
    assert log.newest(9)[0].outcome == "selected"
    came(log, command(2, Step.EXECUTE), START + 900 * MS)
    assert log.newest(9)[0].outcome == "" and log.in_flight() == []
    log.step(2, "given to feeders", START + 901 * MS, sent=True)
    assert log.in_flight() == [[identity("a", 1), "F1.trip_close", "closed", "scada.north", "2.0", "0"]]
    assert not log.report(done(2, sentence="F1.trip_close closed, execute by x: the device confirmed it"), START)
    assert log.report(done(2, Stage.END, sentence=""), START + 1950 * MS)
    (story,) = log.newest(9)
    assert (story.outcome, log.in_flight()) == ("executed", [])
    assert [words for _, words in story.steps] == [
        "select asked", "selected", "execute asked", "given to feeders", "the device confirmed it", "done",
    ]  # fmt: skip
    assert story.steps[3][0] == 901.0 and story.steps[-1][0] == 1950.0


def test_a_select_of_another_center_is_another_story() -> None:
    log = ControlLog("a", {})
    came(log, command(1, Step.SELECT))
    log.report(done(1), START)
    came(log, command(2, Step.EXECUTE, "scada.south"))
    assert log.report(done(2, outcome=Outcome.REFUSED, sentence="refused: it is not selected"), START)
    assert [s.outcome for s in log.newest(9)] == ["selected", "refused"]


def test_a_cancel_ends_the_selection_and_a_vain_one_changes_no_story() -> None:
    log = ControlLog("a", {})
    came(log, command(1, Step.SELECT))
    log.report(done(1), START)
    came(log, command(2, Step.CANCEL))
    assert not log.report(done(2), START)
    assert log.newest(1)[0].outcome == "cancelled"
    came(log, command(3))
    assert log.report(done(3, outcome=Outcome.FAILED), START)
    assert log.newest(1)[0].outcome == "failed"


def test_identities_are_the_same_on_both_members_and_unlike_those_of_another_run() -> None:
    assert identity("b", (0xA1B2 << 32) + 17) == "b-a1b2-17" != identity("b", (0xA1B3 << 32) + 17)
    log = ControlLog("a", {})
    came(log, command(5), theirs="b-a1b2-17")
    assert log.newest(9, "b-a1b2-17")[0].point == "F1.trip_close" and log.newest(9, "a-0000-5") == []


def test_the_flash_is_spared_and_a_restart_finds_everything() -> None:
    log, now, flash, writes = ControlLog("a", {}), START, dict.fromkeys(FILES, ""), 0
    for ref in range(1, STORIES_MAX + 100):
        came(log, command(ref), now)
        log.report(done(ref, outcome=Outcome.REFUSED, sentence="no"), now)
        now += SECOND
        files = log.files(now)
        writes += len(files)
        flash.update(files)
    assert log.hurry()
    flash.update(log.files(now))
    assert writes <= 2 * (STORIES_MAX + 100) * SECOND / PAUSE_NS, "a write each ten seconds, two where a file is full"
    assert all(text.count("\n") < PER_FILE for text in flash.values())
    again = ControlLog("a", flash)
    assert [s.to_json() for s in again.newest(STORIES_MAX)] == [s.to_json() for s in log.newest(STORIES_MAX)]
    assert len(again.stories) == STORIES_MAX and max(again.stories) == max(log.stories)
    assert not log.hurry() and not log.files(now + PAUSE_NS)


def test_what_was_under_way_when_the_process_died_is_not_called_done() -> None:
    log = ControlLog("a", {})
    came(log, command(1))
    came(log, command(2))
    log.step(2, "given to feeders", START, sent=True)
    log.hurry()
    again = ControlLog("a", dict(log.files(START)))
    assert [s.outcome for s in again.newest(9)] == ["not_sent", "unknown"]
    assert "look at the device" in again.newest(1)[0].steps[-1][1]


def test_damaged_lines_are_counted_and_the_rest_is_read() -> None:
    log = ControlLog("a", {})
    came(log, command(1))
    log.hurry()
    ((name, text),) = log.files(START)
    for bad in ("{", "[1, 2]", text.replace("[0.0,", "[[],"), "7"):
        again = ControlLog("a", {name: f"{bad}\n{text}"})
        assert again.damaged == 1 and len(again.stories) == 1


def test_a_story_and_the_log_are_bounded() -> None:
    log = ControlLog("a", {})
    came(log, command(1))
    for number in range(40):
        log.step(1, f"step {number}", START)
    assert len(log.newest(1)[0].steps) == STEPS_MAX and log.newest(1)[0].steps[-1][1] == "step 39"
    assert log.newest(0) == [] and log.newest(-5) == []


def test_what_a_dead_active_had_in_flight_is_told_once() -> None:
    log = ControlLog("b", {})
    came(log, command(1), theirs="")
    known = log.newest(1)[0].id
    assert not log.inherited([known, "F1.trip_close", "closed", "scada.north"], 1, START)
    assert log.inherited(["a-0001-9", "F1.trip_close", "closed", "scada.north"], 1, START)
    assert log.newest(1)[0].outcome == "unknown"
