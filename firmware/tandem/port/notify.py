"""systemd's notify socket: the service is ready, and it lives. Nothing where no systemd listens."""

from __future__ import annotations

import os
import socket

_NEVER = 1 << 62


def tell(state: str) -> bool:
    """Send one state, such as READY=1; False where nobody listens."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        try:
            sock.sendto(state.encode(), "\0" + path[1:] if path[0] == "@" else path)
        except OSError:
            return False
    return True


class ServiceWatchdog:
    """Tells systemd that its owner lives, three times in `WatchdogSec`.

    WATCHDOG_PID is passed over on purpose: a heart that is its supervisor's child speaks for the service too, and such
    a unit needs NotifyAccess=all.
    """

    def __init__(self) -> None:
        try:
            self._every_ns = int(os.environ.get("WATCHDOG_USEC", "0")) * 1000 // 3
        except ValueError:
            self._every_ns = 0
        self.due = 0 if self._every_ns > 0 else _NEVER

    def tell(self, now: int) -> None:
        """It is due: say so, and when again."""
        self.due = now + self._every_ns
        tell("WATCHDOG=1")
