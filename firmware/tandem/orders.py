"""Orders about the members themselves: who is active, who is out of service; by the local API, the peer or a center.

A center gives them through system control points that name the member, so that none of them is a toggle. Such an
order is answered first and carried out when the answer has left.
"""

from __future__ import annotations

from tandem.parts import Parts
from tandem.point import MS, Command, Outcome, Report, Say, Stage
from tandem.standby.orders import refusal
from tandem.system import ORDER_POINTS, PREFIX

CHANNEL = ""
"""Names, beside the masters' channels, who carries out the system control points."""
ANSWER_LEAVES_NS = 50 * MS
"""Between the answer and the order: the sessions at the group address end with the release."""
_DOWN = "the hot-standby link is down: order it at member {}"


def order_ids(node: Parts) -> dict[int, str]:
    """By point id: the name of the system control point."""
    return {node.table.id(PREFIX + name): name for name in ORDER_POINTS}


class Orders:
    """What is ordered at this member, for itself or for the other one."""

    def __init__(self, node: Parts) -> None:
        self.node = node
        self._names = order_ids(node)
        self._waiting: list[tuple[int, str, str, str]] = []  # (when, member, word, origin), each answered already

    # --- a center's, through a control point ----------------------------------------------------------------------

    def refuse(self, command: Command) -> str:
        """Why this control cannot be an order now; "" for one that can, and for other points."""
        name = self._names.get(command.point_id)
        if name is None:
            return ""
        member, word = _meaning(name, bool(command.value))
        return self.refusal(member, word) if word else "it is no toggle: only on means something"

    def accept(self, command: Command, now: int) -> Report:
        """The answer to a control that was not refused; the order itself follows."""
        member, word = _meaning(self._names[command.point_id], bool(command.value))
        self._waiting.append((now + ANSWER_LEAVES_NS, member, word, command.center))
        return Report(command.ref, Stage.CONFIRM, Outcome.DONE, "the order is taken")

    def tick(self, now: int) -> None:
        """Carry out what was answered long enough ago. Cheap: call it each turn."""
        while self._waiting and now >= self._waiting[0][0]:
            _, member, word, origin = self._waiting.pop(0)
            self.node.ask(Say(f"ordered by {origin}: {self.order(member, word, origin, now)}"))

    # --- whoever gives it -----------------------------------------------------------------------------------------

    def refusal(self, member: str, word: str) -> str:
        """Why `member` ("a", "b") cannot be ordered `word` from here now; "" when it can."""
        node = self.node
        if member not in ("a", "b"):
            return f"{member!r} is no member: say a or b"
        if word == "re-arm":
            return ""
        if word.startswith("make"):
            return refusal(node.role, word) if node.is_active else self._unreachable(node.peer)
        return refusal(node.role, word) if member == node.member else self._unreachable(member)

    def order(self, member: str, word: str, origin: str, now: int, force: bool = False) -> str:
        """Order "make a active", "make b active", "out", "in" or "re-arm" of a member; returns what becomes of it.

        `force`: "out" is done even if nobody is left to serve.
        """
        node = self.node
        refused = self.refusal(member, word)
        if refused and not (force and word == "out" and member == node.member):
            return refused
        if word == "re-arm":
            told = node.mirror.order(word, origin)
            return node.role.order(word, now, origin) + ("" if told else f"; member {node.peer} was not told")
        if (word.startswith("make") and not node.is_active) or (word in ("in", "out") and member != node.member):
            node.mirror.order(word, f"{origin} at {node.member}")
            return f'the order "{word}" went to member {node.peer}'
        return node.role.order(word, now, origin)

    def ordered(self, word: str, origin: str, now: int) -> str:
        """An order that the peer passed on; returns what becomes of it."""
        node = self.node
        return refusal(node.role, word) or node.role.order(word, now, origin)

    def _unreachable(self, member: str) -> str:
        return "" if self.node.mirror.linked else _DOWN.format(member)


def _meaning(name: str, on: bool) -> tuple[str, str]:
    """(member, word) of a control point and its state; the word is "" where the state means nothing."""
    if name == "rearm":
        return "a", "re-arm" if on else ""
    if name.endswith("_in_service"):
        return name[0], "in" if on else "out"
    member = name.split("_")[1]
    return member, f"make {member} active" if on else ""
