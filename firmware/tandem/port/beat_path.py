"""One heartbeat path as descriptors."""

from __future__ import annotations

import os
import socket
from typing import Any

from tandem.port.tty import open_raw


class BeatPath:
    """A connected UDP socket, so that a refusal is seen, or a raw serial descriptor; `fd` is -1 while it is closed."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.name: str = plan["name"]
        self.serial = "device" in plan
        self.fd = -1
        self.trouble = ""
        self._plan = plan
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Try to open; `trouble` says why it did not work."""
        plan = self._plan
        try:
            if self.serial:
                self.fd = open_raw(plan["device"], plan["baud"], plan["data_bits"], plan["parity"], plan["stop_bits"])
            else:
                of = socket.AF_INET6 if ":" in plan["local"][0] else socket.AF_INET
                self._socket = socket.socket(of, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                self._socket.bind(tuple(plan["local"]))
                self._socket.connect(tuple(plan["remote"]))
                self.fd = self._socket.fileno()
            self.trouble = ""
        except OSError as error:
            self.close()
            self.trouble = f"heartbeat path {self.name}: {error.strerror or error}"

    def close(self) -> None:
        """Close what is open."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        elif self.fd >= 0:
            os.close(self.fd)
        self.fd = -1
