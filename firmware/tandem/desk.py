"""Where controls meet the role: the active executes them, the standby forwards them or says no."""

from __future__ import annotations

from tandem.codec.beat import Role
from tandem.config.model import Slave
from tandem.orders import CHANNEL, Orders, order_ids
from tandem.parts import Parts
from tandem.point import MS, Command, Outcome, Report, Say, Stage
from tandem.report import Reporter

STALLED_NS = 200 * MS
"""After a pause this long the controls that had waited are refused: their operators have long turned elsewhere."""


class Desk:
    """The way of a command into `control`, and of its answers back to who asked."""

    def __init__(self, node: Parts, reporter: Reporter) -> None:
        self.node = node
        self._reporter = reporter
        self._stalled_at = -1
        self.orders = Orders(node)
        node.control.guards = [self.orders.refuse]
        node.control.always = frozenset(order_ids(node))

    def was_away(self, away_ns: int, now: int) -> None:
        """The loop stood still: what came meanwhile is handled in the turn of `now`."""
        if away_ns >= STALLED_NS:
            self._stalled_at = now

    def tick(self, now: int) -> None:
        """Commands of the centers to the control model, its orders to the masters, the answers back."""
        node = self.node
        self.orders.tick(now)
        for slave, command in node.service.commands():
            self._command(slave, command, now)
        node.control.changed(now)
        node.control.tick(now)
        for channel, command in node.control.to_masters():
            if channel == CHANNEL:
                node.control.device_report(self.orders.accept(command, now), now)
            else:
                node.field.control(channel, command, now)
        self.take_reports(now)
        self._stalled_at = -1

    def _command(self, slave: Slave, command: Command, now: int) -> None:
        node = self.node
        if self._stalled_at >= 0:
            self.answer(_refused(command, "this gateway was stalled: repeat the control"), now)
        elif node.role.role in (Role.ACTIVE, Role.RELEASING):
            node.control.submit(command, now)
        elif slave.hot_standby == "acquisition-and-control":
            node.mirror.forward(command, node.quoted.newest, now)
        else:
            self.answer(_refused(command, f"{slave.name} takes no controls on the standby"), now)

    def forwarded(self, command: Command, beat: int, now: int) -> None:
        """A control that the standby forwarded; it had heard our beat of that counter."""
        if self.node.quoted.is_young(beat, now):
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
        self._reporter.unknown_controls(node.control.unknown_count, now)

    def answer(self, report: Report, now: int) -> None:
        """To the standby that forwarded it, or to a session here."""
        if report.sentence:
            self.node.ask(Say(f"control: {report.outcome.name.lower()}: {report.sentence}"))
        if not self.node.mirror.report(report):
            self.node.service.report(report, now)


def _refused(command: Command, sentence: str) -> Report:
    return Report(command.ref, Stage.CONFIRM, Outcome.REFUSED, sentence)
