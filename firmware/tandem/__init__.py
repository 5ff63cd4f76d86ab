"""Tandem: the firmware of a hot-standby substation gateway. `node.py` is one gateway as one machine."""

__version__ = "0.1.0"
