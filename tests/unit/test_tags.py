"""Tags: what they block, who is right when two members changed one apart, and what a damaged file does."""

from __future__ import annotations

import itertools

import pytest

from tandem.point import Command, Kind, Step
from tandem.registry import PointInfo, PointTable
from tandem.tags import TAGS_MAX, Tag, Tags

POINTS = [
    PointInfo(1, "F1.breaker", Kind.DOUBLE),
    PointInfo(2, "F1.trip_close", Kind.DOUBLE_OUTPUT),
    PointInfo(3, "F1.bay.tap", Kind.STEP_OUTPUT),
    PointInfo(4, "F11.trip_close", Kind.DOUBLE_OUTPUT),
    PointInfo(5, "M1.alarm", Kind.BINARY),
]


def make(text: str = "") -> Tags:
    return Tags(PointTable(POINTS, 5), text)


def refused(tags: Tags, point_id: int) -> str:
    return tags.refuse(Command(1, point_id, 1.0, Step.SELECT, "scada.north", 0))


def test_a_tag_blocks_its_output_until_it_is_taken_off() -> None:
    tags = make()
    assert refused(tags, 2) == ""
    tags.put("F1.trip_close", "smith", "cable is open", 7)
    assert refused(tags, 2) == "F1.trip_close is tagged by smith: cable is open; have the tag taken off"
    assert refused(tags, 3) == refused(tags, 4) == ""
    assert tags.take_off("F1.trip_close", "jones", "", 8).version == 2
    assert refused(tags, 2) == "" and tags.every() == []


def test_a_device_s_tag_blocks_all_its_outputs_and_no_namesake() -> None:
    tags = make()
    tags.put("F1", "smith", "work", 7)
    assert refused(tags, 2) and refused(tags, 3) and not refused(tags, 4)
    with pytest.raises(ValueError, match="not tagged itself: the tag is at F1"):
        tags.take_off("F1.trip_close", "smith", "", 8)


@pytest.mark.parametrize("name", ["F1.breaker", "M1", "F", "nothing", ""])
def test_only_what_can_be_controlled_is_tagged(name: str) -> None:
    with pytest.raises(ValueError, match="no output"):
        make().put(name, "smith", "x", 7)


def test_a_tag_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="reason"):
        make().put("F1", "smith", "", 7)


def test_what_is_kept_comes_back() -> None:
    tags = make()
    tags.put("F1", "smith", 'a "word"\nand more', 7)
    tags.put("F11", "smith", "x", 7)
    tags.take_off("F11", "smith", "", 9)
    again = make(tags.to_json())
    assert again.all_known() == tags.all_known() and not tags.unsaved
    for text in ("{}", "[1]", "no", '["F1", true, 0, "", "", 1]', '["F1", 1, 1, "", "", 1]'):
        with pytest.raises(ValueError):
            make(text)


def test_two_members_agree_whatever_they_did_apart_and_in_whatever_order_they_hear_it() -> None:
    def story(steps: str) -> Tag:
        tags = make()
        for number, step in enumerate(steps):
            if step == "+":
                tags.put("F1", "ab"[number % 2], f"x{number}", number)
            elif tags.find("F1"):
                tags.take_off("F1", "a", "", number)
        return tags.all_known()[0]

    for first, second in itertools.combinations(("+", "+-", "++", "+-+", "+-+-", "+++"), 2):
        one, two = story(first), story(second)
        a, b = make(one.to_json()), make(two.to_json())
        a.merge(two.to_json().encode())
        b.merge(one.to_json().encode())
        assert a.all_known() == b.all_known()
        assert a.all_known()[0].version == max(one.version, two.version)
        if one.version == two.version:
            assert a.all_known()[0].on == (one.on or two.on), "of equal ones the tag that blocks"
        assert a.merge(two.to_json().encode()) is None, "heard again it is no news"


def test_tags_are_bounded_and_a_blocking_one_is_never_forgotten() -> None:
    tags = make()
    for number in range(TAGS_MAX):
        tags.merge(Tag(f"X{number}", number % 2 == 0, 1, "s", "w", 1).to_json().encode())
    tags.put("F1", "smith", "x", 7)
    assert len(tags.all_known()) == TAGS_MAX and tags.find("F1") and len(tags.every()) == TAGS_MAX // 2 + 1
    full = make("\n".join(Tag(f"X{n}", True, 1, "s", "w", 1).to_json() for n in range(TAGS_MAX)))
    with pytest.raises(ValueError, match="256 tags already"):
        full.put("F1", "smith", "x", 7)
