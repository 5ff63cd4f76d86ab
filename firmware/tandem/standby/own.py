"""What the role machine is told of its own member, and what it tells of its changes."""

from __future__ import annotations

from typing import NamedTuple

from tandem.codec.beat import Role
from tandem.standby.peer import NEVER
from tandem.standby.witness import WitnessView


class OwnState(NamedTuple):
    """The own member as of now. `health`: 255 nothing wrong, 0 worst."""

    health: int = 255
    ready: bool = True  # self test and watchdog proof passed, files read, leftovers cleared
    fault: str = ""  # a sentence, where this member cannot serve
    in_sync: bool = False  # what a takeover now could claim
    last_in_sync: bool = True  # what the flash says of the last run
    was_standby: bool = False  # and that it was the standby
    epoch: int = 0
    head: int = 0
    reserved_epoch: int = 0  # the next one, on flash already; 0: none yet
    spent_epoch: int = 0  # reserved before this start: a claim may have used it that the flash does not know of
    acknowledged: int = 0  # what the peer has of our head
    drained: bool = True  # no request outstanding on any channel
    settled: bool = True  # no control waits for its end
    confirmed: bool = True  # no center was sent an event so lately that its confirm may be on its way
    descends: int = 0  # 1: the own claim descends from the peer's; -1: the peer's from ours; 0: not known
    address_unanswered: bool = True  # `fence: none` only: nobody answered for the group address for the last L
    witness: WitnessView = WitnessView()


class Transition(NamedTuple):
    """One change of role; `cause` is the table's input, `reason` the sentence."""

    old: Role
    new: Role
    cause: str
    reason: str
    now: int


class Takeover(NamedTuple):
    """The parts of a takeover in ns, NEVER where one was not reached."""

    detection_ns: int = NEVER  # from the peer's last sign of life to the decision
    fence_ns: int = NEVER  # until the service fence held
    role_ns: int = NEVER  # until the heart had lease and addresses
    service_ns: int = NEVER  # until the first session was served
    reason: str = ""
    in_sync: bool = False


def next_epoch(member: str, highest: int) -> int:
    """The lowest epoch above `highest` that belongs to the member: even ones to a, odd ones to b."""
    return highest + 1 if (highest + 1) % 2 == (member == "b") else highest + 2
