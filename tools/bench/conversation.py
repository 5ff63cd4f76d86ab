"""The controlling side of one IEC 60870-5-104 connection, sans-IO: checks N(S), counts, acknowledges, asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tandem.codec.iec60870 import FrameError, apci
from tandem.codec.iec60870.asdu import Asdu, decode, encode
from tandem.codec.iec60870.types import BY_NAME

ACK_AFTER = 8  # w


class Conversation:
    """Feed `receive`, send what `outgoing` gives. `fault` is "" or what broke the protocol."""

    def __init__(self, common_address: int) -> None:
        self.ca = common_address
        self.started = False
        self.fault = ""
        self.received = 0
        self._sent = 0
        self._unacked = 0
        self._splitter = apci.Splitter()
        self._out = bytearray(apci.u_frame(apci.STARTDT_ACT))

    def outgoing(self) -> bytes:
        """Drain the octets to send."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def receive(self, octets: bytes) -> list[Asdu | str]:
        """What came, in order: "started" for a STARTDT con, an Asdu for each I frame."""
        came: list[Asdu | str] = []
        for frame in self._splitter.feed(octets):
            kind, number, _ = apci.control_of(frame)
            if kind == "U":
                if number == apci.STARTDT_CON:
                    self.started = True
                    came.append("started")
                elif number == apci.TESTFR_ACT:
                    self._out += apci.u_frame(apci.TESTFR_CON)
            elif kind == "I":
                if number != self.received:
                    self.fault = f"N(S) is {number} where {self.received} follows"
                self.received = (number + 1) & apci.MASK
                self._unacked += 1
                if self._unacked >= ACK_AFTER:
                    self.acknowledge()
                try:
                    came.append(decode(frame[6:]))
                except FrameError as error:
                    self.fault = str(error)
        self.fault = self.fault or self._splitter.fault
        return came

    def acknowledge(self) -> None:
        """Confirm everything received, if something is not."""
        if self._unacked:
            self._unacked = 0
            self._out += apci.s_frame(self.received)

    def test(self) -> None:
        """Ask whether anybody is there: TESTFR act."""
        self._out += apci.u_frame(apci.TESTFR_ACT)

    def ask(self, type_name: str, ioa: int, values: Mapping[str, Any] | None = None, cause: int = 6) -> None:
        """Send one object of that type, with cause "activation" unless told otherwise."""
        asdu = encode(BY_NAME[type_name].number, cause, self.ca, [(ioa, values or {})])
        self._out += apci.i_frame(asdu, self._sent, self.received)
        self._sent = (self._sent + 1) & apci.MASK
        self._unacked = 0
