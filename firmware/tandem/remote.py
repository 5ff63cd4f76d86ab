"""Local or remote: where a key or an expression says "local", control centers may not control the process.

The key is any point, `remote = "bay.key"` of the group (the whole station) or of one slave. The local API is local.
"""

from __future__ import annotations

from tandem.config.model import Config
from tandem.control_rules import operand
from tandem.database import Database
from tandem.interlock import Expression, parse
from tandem.point import Command
from tandem.registry import PointTable

LOCAL = "local"
"""The first part of a command's `center` where the local API asks: no slave may be named so."""


class Remote:
    """The keys of a verified configuration, read from present values; one that is not good reads "local"."""

    def __init__(self, config: Config, table: PointTable, database: Database) -> None:
        self._read = lambda name: operand(table, database, name)
        self.key_local = False
        """The key of this member's own front panel stands at local."""
        self._station = parse(config.group.remote) if config.group.remote else None
        self._slaves = {slave.name: parse(slave.remote) for slave in config.slaves if slave.remote}

    def station(self) -> bool:
        """Remote control of the station is permitted."""
        return not self.key_local and self._permits(self._station)

    def slave(self, name: str) -> bool:
        """Remote control through this slave is permitted."""
        return self.station() and self._permits(self._slaves.get(name))

    def refuse(self, command: Command) -> str:
        """Why a center's control is refused; "" for one that may be carried out, and for the local API's."""
        slave = command.center.partition(".")[0]
        if slave == LOCAL or self.slave(slave):
            return ""
        where = f"slave {slave}" if self.station() else "the station"
        return f"{where} is switched to local; somebody there has to turn the key"

    def _permits(self, key: Expression | None) -> bool:
        return key is None or key.evaluate(self._read) is True
