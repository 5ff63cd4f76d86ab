"""The role machine as a table, and its drawing. A cell that is not listed: stay.

                      +----------+  in order / cause gone   +----------------+
                      | starting |<-------------------------| out-of-service |<-- fault, order out
                      +----------+------ fault, weld ------>+----------------+    from every state
       peer serving, idle |                                          ^
       or nobody there    v                                          | order was "out"
                      +---------+  proof, silence, vacancy   +-------------+
            +-------->| standby |--------------------------->| taking-over |
            |         +---------+<---------------------------+-------------+
            |           ^     ^    peer active, rival, deaf,        | the service fence holds
            | taken,    |     |    not fenced in time, not granted  v
            | nobody    |     |                              +--------+  lines: none > claiming > held > lost
            | took it   |     +--- permission lost, peer ----| active |
            |           |          wins, disowned, alone     +--------+
            |    +-----------+                                  |  ^
            +----| releasing |<-- order, preference, health ----+  | the own contact does not open
                 +-----------+-------------------------------------+

Rows of a state are tried from top to bottom.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from tandem.codec.beat import Role

__all__ = ["TABLE", "Input", "Role", "Row", "as_dot", "as_text", "rows"]


class Input(enum.Enum):
    """What can be true at a moment."""

    FAULT = "fault, weld, contact contradicts coil"
    ORDER_OUT = "order out"
    CAUSE_GONE = "order in, cause gone"
    PEER_SERVING = "peer active, taking over or releasing"
    PEER_IDLE = "peer there and idle, echoed for 3 beats"
    ALONE = "nothing heard for the cold wait"
    PROOF = "proof of death, or released-service"
    SILENCE = "silence of D on every path"
    VACANCY = "vacant, and I am the better one"
    OPENED = "own contact opened while the lines were held"
    PERMISSION_LOST = "permission lost"
    PEER_ACTIVE = "peer active"
    RIVAL = "peer taking over too, its letter is lower"
    DEAF = "peer alive but deaf to me, no relays"
    FENCED = "the service fence holds"
    HELD_CLOSED = "silent peer's contact still closed at the claim timeout, a trip is wired"
    NOT_FENCED = "peer's contact still closed at the claim timeout"
    PEER_WINS = "peer active too, and it wins"
    PEER_LOSES = "peer active too, and it loses"
    DISOWNED = "the peer does not hear me, no relays"
    RELEASE = "order, preference, health or lines lost"
    TAKEN = "peer active or taking over"
    NOT_OPEN = "own contact does not open"
    NOT_TAKEN = "nobody took it"
    STOPS = "alone, and the partition rule or the witness stops it"
    NOT_GRANTED = "the witness grants nothing"


class Row(NamedTuple):
    """Where to, and which of the machine's doings belong to it."""

    next: Role
    do: str


_S, _B, _T, _A, _R, _O = Role.STARTING, Role.STANDBY, Role.TAKING_OVER, Role.ACTIVE, Role.RELEASING, Role.OUT_OF_SERVICE

TABLE: dict[tuple[Role, Input], Row] = {
    (_S, Input.FAULT): Row(_O, "alarm"),
    (_S, Input.ORDER_OUT): Row(_O, "nothing"),
    (_S, Input.PEER_SERVING): Row(_B, "nothing"),
    (_S, Input.PEER_IDLE): Row(_B, "nothing"),
    (_S, Input.ALONE): Row(_B, "nothing"),
    (_B, Input.FAULT): Row(_O, "alarm"),
    (_B, Input.ORDER_OUT): Row(_O, "nothing"),
    (_B, Input.PROOF): Row(_T, "note_detection"),
    (_B, Input.SILENCE): Row(_T, "note_detection"),
    (_B, Input.VACANCY): Row(_T, "note_detection"),
    (_T, Input.FAULT): Row(_O, "drop_and_alarm"),
    (_T, Input.ORDER_OUT): Row(_O, "drop"),
    (_T, Input.PERMISSION_LOST): Row(_B, "drop_and_hold_off"),
    (_T, Input.PEER_ACTIVE): Row(_B, "drop_and_hold_off"),
    (_T, Input.RIVAL): Row(_B, "drop_and_hold_off"),
    (_T, Input.DEAF): Row(_B, "drop_and_hold_off"),
    (_T, Input.FENCED): Row(_A, "claim"),
    (_T, Input.HELD_CLOSED): Row(_T, "trip"),
    (_T, Input.NOT_FENCED): Row(_B, "isolate"),
    (_T, Input.NOT_GRANTED): Row(_B, "isolate"),
    (_A, Input.FAULT): Row(_O, "hand_over_and_alarm"),
    (_A, Input.ORDER_OUT): Row(_R, "drain"),
    (_A, Input.OPENED): Row(_B, "drop_and_yield"),
    (_A, Input.PERMISSION_LOST): Row(_B, "drop_and_hold_off"),
    (_A, Input.STOPS): Row(_B, "isolate"),
    (_A, Input.DISOWNED): Row(_B, "drop_and_hold_off"),
    (_A, Input.PEER_WINS): Row(_B, "drop_and_hold_off"),
    (_A, Input.PEER_LOSES): Row(_A, "insist"),
    (_A, Input.RELEASE): Row(_R, "drain"),
    (_R, Input.FAULT): Row(_O, "hand_over_and_alarm"),
    (_R, Input.PERMISSION_LOST): Row(_B, "drop_and_hold_off"),
    (_R, Input.STOPS): Row(_B, "isolate"),
    (_R, Input.DISOWNED): Row(_B, "drop_and_hold_off"),
    (_R, Input.TAKEN): Row(_B, "drop"),
    (_R, Input.NOT_OPEN): Row(_A, "rearm"),
    (_R, Input.NOT_TAKEN): Row(_B, "drop"),
    (_O, Input.CAUSE_GONE): Row(_S, "nothing"),
}


def rows(state: Role) -> list[tuple[Input, Row]]:
    """The rows of a state, in the order in which they are tried."""
    return [(given, row) for (at, given), row in TABLE.items() if at is state]


def as_text() -> str:
    """The table as lines of text, one a row."""
    lines = [(s.word, given.value, row.next.word, row.do.replace("_", " ")) for (s, given), row in TABLE.items()]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    return "\n".join(" | ".join([*(c.ljust(w) for c, w in zip(line, widths, strict=False)), line[3]]) for line in lines)


def as_dot() -> str:
    """The table as a graph for Graphviz."""
    arrows = [f'  "{s.word}" -> "{row.next.word}" [label="{given.value}"];' for (s, given), row in TABLE.items()]
    return "\n".join(["digraph role {", *arrows, "}"])
