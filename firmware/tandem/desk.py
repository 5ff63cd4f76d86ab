"""Where controls meet the role: the active executes them, the standby forwards them or says no; the log is told all."""

from __future__ import annotations

import json
from dataclasses import replace

from tandem.action import Persist
from tandem.codec.beat import Role
from tandem.control_log import identity
from tandem.orders import CHANNEL, Orders, order_ids
from tandem.parts import Parts
from tandem.past import Past
from tandem.point import MS, Command, Outcome, Report, Say, Stage
from tandem.pulses import Pulses
from tandem.report import Reporter
from tandem.standby.told import ForwardedControl
from tandem.tags import KEY as TAG
from tandem.tags import Tag

STALLED_NS = 200 * MS
"""After a pause this long the controls that had waited are refused: their operators have long turned elsewhere."""
FLIGHTS = "controls"
"""Soft state: the controls that a device may have and that have not ended, for a successor."""
_FLIGHTS_MAX = 64
_FLIGHT_OCTETS_MAX = 60_000
_LOCAL_MAX = 64


class Desk:
    """The way of a command into `control`, and of its answers back to who asked."""

    def __init__(self, node: Parts, reporter: Reporter) -> None:
        self.node = node
        self._reporter = reporter
        self._stalled_at = -1
        self._local: list[Command] = []
        self._flights: list[list[str]] = []  # as the newest active told, or as they were when this member lost the role
        self._flights_told = self._flights_ns = 0
        self._lost = 0  # controls that were in flight when a role was lost, whoever had it
        self.orders = Orders(node)
        self.pulses = Pulses(node)
        for tag in node.tags.all_known():
            node.mirror.state(TAG + tag.name, tag.to_json().encode())
        node.control.guards = [self.orders.refuse, self._refuse, self.pulses.refuse]
        node.control.always = frozenset(order_ids(node))

    def _refuse(self, command: Command) -> str:
        if command.point_id in self.node.control.always:
            return ""
        return self.node.remote.refuse(command) or self.node.tags.refuse(command)

    def was_away(self, away_ns: int, now: int) -> None:
        """The loop stood still: what came meanwhile is handled in the turn of `now`."""
        if away_ns >= STALLED_NS:
            self._stalled_at = now

    def operate(self, command: Command) -> str:
        """A control of the local API, to be carried out with the next turn; returns its identity.

        Raises ValueError where too many wait.
        """
        if len(self._local) >= _LOCAL_MAX:
            raise ValueError(f"{_LOCAL_MAX} controls wait already")
        self._local.append(command)
        return identity(self.node.member, command.ref)

    def tick(self, now: int) -> None:
        """Commands of the centers to the control model, its orders to the masters, the answers back."""
        node = self.node
        self.orders.tick(now)
        self.pulses.tick(now)
        for slave, command in node.service.commands():
            forwards = slave.hot_standby == "acquisition-and-control"
            self._command(replace(command, center=f"{slave.name}.{command.center}"), forwards, now)
        local, self._local = self._local, []
        for command in local:
            self._command(command, True, now)
        node.control.changed(now)
        node.control.tick(now)
        for channel, command in node.control.to_masters():
            if channel == CHANNEL:
                node.control.device_report(self.orders.accept(command, now), now)
            else:
                node.stories.step(command.ref, f"given to {channel}", now, sent=True)
                node.field.control(channel, command, now)
        self.take_reports(now)
        self._stalled_at = -1
        if node.stories.flights != self._flights_told and node.is_active:
            self._tell_flights()
        self._keep(now)

    def _command(self, command: Command, forwards: bool, now: int) -> None:
        node = self.node
        self._came(command, command.center, "", now)
        if self._stalled_at >= 0:
            self.answer(_refused(command, "this gateway was stalled: repeat the control"), now)
        elif node.role.role in (Role.ACTIVE, Role.RELEASING):
            node.control.submit(command, now)
        elif forwards:
            self._reporter.control_counts["forwarded"] += 1
            node.stories.step(command.ref, f"to member {node.peer}", now, sent=True)
            node.mirror.forward(command, node.quoted.newest, now)
        else:
            name = command.center.partition(".")[0]
            self.answer(_refused(command, f"{name} takes no controls on the standby"), now)

    def _came(self, command: Command, origin: str, theirs: str, now: int) -> None:
        name, word = self.node.control.words(command)
        self.node.stories.came(command, name, word, origin, self.node.clock.stamp(now)[0], now, theirs)

    def forwarded(self, came: ForwardedControl, now: int) -> None:
        """A control that the standby forwarded; it had heard our beat of that counter."""
        command, peer = came.command, self.node.peer
        self._came(command, f"{command.center} at member {peer}", identity(peer, came.theirs), now)
        if self.node.quoted.is_young(came.beat, now):
            self.node.control.submit(command, now)
        else:
            sentence = "it was on its way from the standby for too long: repeat the control"
            self.answer(_refused(command, sentence), now)

    def take_reports(self, now: int) -> None:
        """The devices' answers to the control model, and its answers to who asked."""
        node = self.node
        for report in node.field.reports():
            node.control.device_report(report, now)
        for report in node.control.reports():
            self.answer(report, now)
        self._reporter.unknown_controls(node.control.unknown_count + self._lost, now)

    def answer(self, report: Report, now: int) -> None:
        """To the standby that forwarded it, or to a session here."""
        if report.sentence:
            self.node.ask(Say(f"control: {report.outcome.name.lower()}: {report.sentence}"))
        self._note(report, now)
        if not self.node.mirror.report(report):
            self.node.service.report(report, now)

    def answered(self, report: Report, now: int) -> None:
        """The answer to a control that this standby forwarded: the active's, or the truth where the link was lost."""
        if report.outcome is not Outcome.DONE:
            self.node.ask(Say(f"control forwarded: {report.outcome.name.lower()}: {report.sentence}", "warning"))
        self._note(report, now)
        self.node.service.report(report, now)

    def _note(self, report: Report, now: int) -> None:
        if self.node.stories.report(report, now):
            word = "executed" if report.outcome is Outcome.DONE else report.outcome.name.lower()
            self._reporter.control_counts[word] += 1

    # --- the role moves ---------------------------------------------------------------------------------------------

    def losing_role(self, now: int) -> None:
        """The masters are about to stop: what is in flight now has to be known to who serves next."""
        self.take_reports(now)
        self.pulses.clear()
        self._flights_ns = now
        self._flights = self.node.stories.in_flight()[-_FLIGHTS_MAX:]
        self._lost += self.node.control.unknown_count  # what ends unknown from here on is the successor's to count

    def role_lost(self, reason: str, now: int) -> None:
        """The masters have stopped: every control ends, truthfully."""
        for report in self.node.field.reports():
            self.node.control.device_report(report, now)
        self.node.control.abort(reason)
        self._lost -= self.node.control.unknown_count
        self.take_reports(now)

    def inherit(self, now: int) -> None:
        """This member serves: what was in flight when the role was lost ended unknown."""
        node = self.node
        for row in self._flights:
            node.stories.inherited(row, node.clock.stamp(now)[0], now)
            sentence = f"{row[1]} {row[2]} by {row[3]} was in flight when the role moved; look at the device"
            node.ask(Say(f"control: unknown: {sentence}", "warning"))
            self.pulses.begun(row[1], float(row[4]), int(row[5]), self._flights_ns, now)
        self._lost += len(self._flights)
        self._flights = []
        self._tell_flights()

    def _tell_flights(self) -> None:
        stories = self.node.stories
        self._flights_told = stories.flights
        flights = stories.in_flight()[-_FLIGHTS_MAX:]
        while len(octets := json.dumps(flights).encode()) > _FLIGHT_OCTETS_MAX:
            del flights[0]
        self.node.mirror.state(FLIGHTS, octets)

    # --- beside the records -----------------------------------------------------------------------------------------

    def beside(self, key: str, octets: bytes, now: int) -> None:
        """The peer tells a tag, or what it has in flight."""
        try:
            if key.startswith(TAG):
                self._merge(key, octets)
            elif key == FLIGHTS and not self.node.is_active:
                rows = json.loads(octets)
                self._flights = [_flight(row) for row in rows][:_FLIGHTS_MAX]
                self._flights_ns = now
        except (ValueError, TypeError, RecursionError) as error:
            self.node.ask(Say(f"the other member's {key} cannot be read: {error}", "error"))

    def _merge(self, key: str, octets: bytes) -> None:
        """Whose tag is newer is right: the peer's is taken, or it is told ours."""
        node = self.node
        tag = node.tags.merge(octets)
        if tag is not None:
            node.ask(Say(tag_sentence(tag)))
        known = node.tags.known(key.removeprefix(TAG))
        if known is not None and (tag is not None or known != Tag.from_json(octets)):
            node.mirror.state(key, known.to_json().encode())

    def tag(self, name: str, on: bool, who: str, why: str, now: int) -> str:
        """Tag a point, or take its tag off, here and at the peer. Raises ValueError with a sentence."""
        node = self.node
        stamp_us = node.clock.stamp(now)[0]
        tag = node.tags.put(name, who, why, stamp_us) if on else node.tags.take_off(name, who, why, stamp_us)
        node.mirror.state(TAG + name, tag.to_json().encode())
        node.ask(Say(tag_sentence(tag)))
        return tag_sentence(tag) + ("" if node.mirror.linked else "; the other member is told when the link is up")

    def _keep(self, now: int) -> None:
        """On flash: tags at once, the control log when it is time."""
        node = self.node
        if node.tags.unsaved:
            node.ask(Persist(Past.TAGS, node.tags.to_json()))
        for name, text in node.stories.files(now):
            node.ask(Persist(name, text))


def tag_sentence(tag: Tag) -> str:
    """What happened to a tag."""
    if tag.on:
        return f"{tag.name} is tagged by {tag.who}: {tag.why}"
    return f"the tag of {tag.name} was taken off by {tag.who}" + (f": {tag.why}" if tag.why else "")


def _flight(row: list[str]) -> list[str]:
    """A row of `ControlLog.in_flight` that came from the peer. Raises ValueError."""
    if len(row) != 6 or not all(isinstance(cell, str) for cell in row):
        raise ValueError("a control in flight has six texts")
    float(row[4]), int(row[5])
    return row


def _refused(command: Command, sentence: str) -> Report:
    return Report(command.ref, Stage.CONFIRM, Outcome.REFUSED, sentence)
