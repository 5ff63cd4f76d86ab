"""Slaves with their control centers, first without rows; then the rows, once every point is known."""

from __future__ import annotations

import dataclasses
import ipaddress

from tandem.config import row_rules
from tandem.config.draft import Draft, into, other_keys
from tandem.config.finding import nearest
from tandem.config.keys import shown
from tandem.config.lists import ListRow
from tandem.config.locate import Path
from tandem.config.model import Center, Row, Slave
from tandem.config.protocols import PROTOCOLS, Protocol
from tandem.config.read import Values, rows_of

_ROW_FIELDS = {field.name for field in dataclasses.fields(Row)}


class Slaves:
    """Reads every [[slave]]; `finish` adds the rows."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.slaves: list[Slave] = []
        self.paths: list[Path] = []
        self._files: list[str] = []

    def read(self, tables: object) -> None:
        """The instances and their control centers."""
        reader = self.draft.reader
        for index, raw in enumerate(rows_of(tables)):
            path: Path = ("slave", index)
            what = f"slave {shown(raw.get('name', ''))}"
            protocol = self.draft.protocol(raw.get("protocol"), path, what, "slave")
            if protocol is None:
                continue
            values = reader.table(raw, protocol.slave, path, what, other_keys(protocol, "slave"))
            centers = self._centers(values.pop("center", None), path, protocol, what)
            self._files.append(values.pop("points", ""))
            self._serve_after(values["serve_after"], path, what)
            arguments = {"name": "", **into(Slave, values, centers=centers, place=reader.place(*path))}
            self.slaves.append(Slave(**arguments))
            self.paths.append(path)

    def _serve_after(self, text: str, path: Path, what: str) -> None:
        if text not in ("valid", "at-once") and not (text.isascii() and text.isdigit() and len(text) <= 5):
            self.draft.reader.add(
                (*path, "serve_after"),
                f"{what}: serve_after = {shown(text)} is not understood",
                'write "valid", "at-once" or seconds, such as "30"',
            )

    def _centers(self, tables: object, path: Path, protocol: Protocol, what: str) -> tuple[Center, ...]:
        reader = self.draft.reader
        if tables is not None and not tables:
            reader.add((*path, "center"), f"{what} has no control center", "write a [[slave.center]] below it")
        centers = []
        for index, raw in enumerate(rows_of(tables)):
            inner: Path = (*path, "center", index)
            name = f"center {shown(raw.get('name', ''))} of {what}"
            values = reader.table(raw, protocol.center, inner, name, other_keys(protocol, "center"))
            values["hosts"] = self._hosts(values.get("hosts", ()), (*inner, "hosts"), name)
            centers.append(Center(**{"name": "", **into(Center, values)}))
        return tuple(centers)

    def _hosts(self, texts: tuple[str, ...], path: Path, what: str) -> tuple[str, ...]:
        hosts = []
        for text in texts:
            try:
                hosts.append(str(ipaddress.ip_network(text)))
                continue
            except ValueError:
                pass
            try:
                wide = ipaddress.ip_interface(text)
                cure = f'write "{wide.network}" for the network or "{wide.ip}" for the one front end'
            except ValueError:
                cure = 'write one such as "10.9.0.0/16" or "10.9.1.20"'
            self.draft.reader.add(path, f"{what}: {shown(text)} is no network", cure)
        return tuple(hosts)

    def finish(self) -> tuple[Slave, ...]:
        """The slaves with their rows, verified."""
        result = []
        for slave, file, path in zip(self.slaves, self._files, self.paths, strict=True):
            protocol = PROTOCOLS[slave.protocol]
            listed = self.draft.list(file, (*path, "points"), protocol.row, "slave list") if file else None
            rows = [row for row in map(self._row, listed or ()) if row is not None]
            faults = row_rules.Rules(slave, protocol, self.draft)
            for row, given in rows:
                faults.verify(row, given)
            result.append(dataclasses.replace(slave, rows=tuple(row for row, _ in rows)))
        return tuple(result)

    def _row(self, listed: ListRow) -> tuple[Row, frozenset[str]] | None:
        point = listed.text("point")
        if point and point not in self.draft.kinds and self.draft.whole:
            what = "the gateway has no point" if point.startswith("_sys.") else "no device has a point"
            self.draft.findings.add(listed.place, f"{what} {shown(point)}", self._near(point))
            return None
        if not listed.sound or point not in self.draft.kinds:
            return None
        values: Values = {name: value for name, value in listed.values.items() if name in _ROW_FIELDS}
        values["event_class"] = listed.values.get("class", 0)
        return Row(**{"type": "", **values}, place=listed.place), listed.given

    def _near(self, point: str) -> str:
        """The nearest name: of the same device where there is one."""
        if self.draft.findings.many:
            return "write the full name of a configured point"
        device = point.rpartition(".")[0]
        same = [name for name in self.draft.kinds if name.startswith(f"{device}.")] if device else []
        return nearest(point, same or self.draft.kinds, "points there are")
