"""How a heart comes to its supervisor: a child by inherited descriptors, a service by a listening socket."""

from __future__ import annotations

import marshal
import socket
import struct
from typing import Any

_DOOR = 3  # the first descriptor that systemd hands over
_DOOR_S = 5.0  # a supervisor that knocked may have died meanwhile
_CREDENTIALS = struct.Struct("3i")

Begun = tuple[socket.socket, dict[str, Any], int]
"""(socket, plan, descriptor of the shared page)."""


def inherited(argv: list[str]) -> Begun:
    """Of the supervisor that started this process with these two descriptors as arguments."""
    supervisor = socket.socket(fileno=int(argv[0]))
    return supervisor, marshal.loads(supervisor.recv(65536)), int(argv[1])


def served() -> Begun:
    """Of the first supervisor at the door. Raises OSError, EOFError or ValueError where nobody is there any more.

    It has fewer rights than its heart, so who it is and what the heart loads are not its word.
    """
    with socket.socket(fileno=_DOOR) as door:
        door.settimeout(_DOOR_S)
        supervisor, _ = door.accept()
    supervisor.settimeout(_DOOR_S)
    octets, pages, _, _ = socket.recv_fds(supervisor, 65536, 1)
    plan = marshal.loads(octets)
    if not pages:
        raise ValueError("it handed no page over")
    asker = supervisor.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    plan["supervisor"] = _CREDENTIALS.unpack(asker)[0]
    if plan["pins"]:
        plan["pins"]["paths"] = []
    return supervisor, plan, pages[0]
