"""IEC 60870-5-104, the controlling station: one `Endpoint` for the devices at a place, one `Connection` each way there.

link        APCI: STARTDT and STOPDT from this side; what is received is acknowledged when it was freed
confirms    received, released, acknowledged, told to the other member: what a device may forget
points      a device's list compiled: who takes an object's value, what a control is on the wire
values      monitored ASDUs into the database; events that are offered again are taken once
asks        what a device is asked by itself: interrogations, counters, its clock
station     one device: what it was asked, and whether it answers
controls    direct, or selected first by the gateway itself; each sent once and answered truthfully
endpoint    all of these behind one place, and which of its connections is started
connection  one TCP connection as a channel
building    a configured `[[master]]` as its connections
"""

from __future__ import annotations

from tandem.master.iec104.building import build

__all__ = ["build"]
