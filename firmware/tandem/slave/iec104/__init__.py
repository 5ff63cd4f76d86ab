"""IEC 60870-5-104, the controlled station: one `Station` a `[[slave]]`, one `Session` a connection.

link      APCI: start and stop, window, numbers, timers; one table of states
encoders  a value and its quality as the octets of an information element, made once a row
rows      the slave's list, compiled: routes of events, interrogation blocks, commands
center    a control center: its cursor in the journal, events made into ASDUs, confirmation, repetition
jobs      interrogations and reads that run over several turns
requests  what a center may ask, and every negative answer
commands  the way of a control and of its answers
session   one connection: the queues between all of these and the link
"""

from __future__ import annotations

from tandem.slave.iec104.session import Session
from tandem.slave.iec104.station import Station

__all__ = ["Session", "Station"]
