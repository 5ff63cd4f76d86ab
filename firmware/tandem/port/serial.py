"""Serial lines: pyserial sets them up, the descriptor lives in the loop."""

from __future__ import annotations

import asyncio
import os

import serial

from tandem.config.model import SerialLine
from tandem.port.stream import Owner, Stream

_PARITY = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}


class SerialStream(Stream):
    """A serial line as an octet stream."""

    def __init__(self, loop: asyncio.AbstractEventLoop, channel: str, owner: Owner) -> None:
        super().__init__(loop, channel, owner)
        self._port: serial.Serial | None = None

    def open(self, path: str, line: SerialLine) -> None:
        """Open and configure `path`; `opened` or `closed` follows."""
        try:
            self._port = serial.Serial(
                path,
                line.baud,
                bytesize=line.data_bits,
                parity=_PARITY["none" if _is_pty(path) else line.parity],
                stopbits=line.stop_bits,
                timeout=0,
                write_timeout=0,
                rtscts=line.rts == "flow",
            )
        except (OSError, serial.SerialException, ValueError) as error:
            self.fd = 0  # so that `fail` tells the owner; nothing is open
            self.loop.call_soon(self._not_opened, f"{path}: {error}")
            return
        self._port.reset_input_buffer()
        self.attach(self._port.fileno())

    def _not_opened(self, reason: str) -> None:
        self.fd = -1
        self.owner.closed(self, reason)

    def _shut(self, fd: int, reset: bool) -> None:
        if self._port is None:
            return
        try:
            if reset:
                self._port.reset_output_buffer()
            self._port.close()
        except (OSError, serial.SerialException):
            pass  # the adapter was pulled out: there is nothing left to close
        self._port = None


def _is_pty(path: str) -> bool:
    """A pseudo-terminal carries octets, not bits: it has no parity and refuses to be given one."""
    return os.path.realpath(path).startswith("/dev/pts/")
