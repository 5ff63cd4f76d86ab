"""Masters with their devices, first without points; then the points, once every name is known."""

from __future__ import annotations

import dataclasses

from tandem.config import schema
from tandem.config.address_rules import verify_spans
from tandem.config.build import bad_host, host
from tandem.config.draft import Draft, into, other_keys
from tandem.config.finding import nearest
from tandem.config.keys import shown
from tandem.config.locate import Path
from tandem.config.model import Device, Master, Place, Point
from tandem.config.points import PointList, Template, make, read_points
from tandem.config.protocols import Protocol
from tandem.config.read import Values, rows_of
from tandem.config.references import References

Lists = dict[tuple[str, str], PointList | None]


class Masters:
    """Reads every [[master]]; `finish` adds the points."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.masters: list[Master] = []
        self.paths: list[Path] = []
        """The path of each of `masters` in the file, for later findings."""
        self._lists: Lists = {}
        self._references = References(draft)
        self._templates: dict[tuple[int, int], PointList] = {}

    def read(self, tables: object) -> None:
        """The instances and devices; registers every point's name and kind with the draft."""
        for index, raw in enumerate(rows_of(tables)):
            path: Path = ("master", index)
            what = f"master {shown(raw.get('name', ''))}"
            protocol = self.draft.protocol(raw.get("protocol"), path, what, "master")
            if protocol is None:
                self.draft.whole = False
                continue
            reader = self.draft.reader
            values = reader.table(raw, protocol.master, path, what, other_keys(protocol, "master"))
            found = self._devices(values, path, protocol, what)
            del values["device"], values["devices"]
            number = len(self.masters)
            for place, (device, points) in enumerate(found):
                if points is not None:
                    self._templates[number, place] = points
                    self._register(device, points)
            for points in {id(points): points for _, points in found if points is not None}.values():
                verify_spans(protocol.family, points.templates, values, self.draft.findings)
            devices = tuple(device for device, _ in found)
            arguments = {"name": "", **into(Master, values, devices=devices, place=reader.place(*path))}
            self.masters.append(Master(**arguments))
            self.paths.append(path)

    def _devices(
        self, values: Values, path: Path, protocol: Protocol, what: str
    ) -> list[tuple[Device, PointList | None]]:
        reader = self.draft.reader
        tables, file = values["device"], values["devices"]
        if bool(tables) == bool(file):
            wrong = "both [[master.device]] and devices" if file else "no devices"
            reader.add(
                (*path, "devices" if file else "name"),
                f"{what} has {wrong}",
                'write either [[master.device]] tables or devices = "LIST.csv"',
            )
            self.draft.whole = False
        found = []
        for index, raw in enumerate(rows_of(tables)):
            inner: Path = (*path, "device", index)
            name = f"device {shown(raw.get('name', ''))}"
            row = reader.table(raw, protocol.device, inner, name, other_keys(protocol, "device"))
            for key in ("host", "second_host"):
                host(reader, (*inner, key), row.get(key, ""))
            found.append(self._device(row, reader.place(*inner), (*inner, "points"), protocol))
        listed = self.draft.list(file, (*path, "devices"), protocol.device, "list of devices") if file else []
        if listed is None:
            self.draft.whole = False
        for line in listed or ():
            for key in ("host", "second_host"):
                if host_fault := bad_host(line.text(key)):
                    self.draft.findings.add(line.place, *host_fault)
            found.append(self._device(line.values, line.place, line.place, protocol))
        return found

    def _device(
        self, values: Values, place: Place, where: Path | Place, protocol: Protocol
    ) -> tuple[Device, PointList | None]:
        values = dict(values)
        name, file = values.get("name", ""), values.pop("points", "")
        if len(name) > schema.DEVICE_NAME_LENGTH:
            self.draft.findings.add(
                place, f"the device's name has {len(name)} letters", f"shorten it to {schema.DEVICE_NAME_LENGTH}"
            )
        points = None
        if file:
            key = (file, protocol.name)
            if key not in self._lists:
                self._lists[key] = read_points(self.draft, file, where, protocol)
            points = self._lists[key]
        if points is None or not name:
            self.draft.whole = False
        arguments = {"name": "", "address": 0, **into(Device, values, place=place)}
        return Device(**arguments), points if name else None

    def _register(self, device: Device, points: PointList) -> None:
        kinds = self.draft.kinds
        limit = 64 - len(device.name) - 1
        for template in points.templates:
            name = f"{device.name}.{template.name}"
            if name in kinds:
                self.draft.findings.add(template.place, f'"{name}" exists already', "give each point a name of its own")
            if len(template.name) > limit:
                self.draft.findings.add(template.place, f'"{name}" has {len(name)} letters', "shorten it to 64")
            kinds[name] = template.kind
            if not device.enabled:
                self.draft.disabled.add(name)
        for broken in points.broken:
            kinds.setdefault(f"{device.name}.{broken}", None)

    def finish(self) -> tuple[Master, ...]:
        """The masters with their points, every reference resolved."""
        result = []
        for number, master in enumerate(self.masters):
            devices = []
            for place, device in enumerate(master.devices):
                points = self._templates.get((number, place))
                made = [self._point(t, device, master) for t in points.templates] if points else []
                devices.append(dataclasses.replace(device, points=tuple(made)))
            result.append(dataclasses.replace(master, devices=tuple(devices)))
        return tuple(result)

    def _point(self, template: Template, device: Device, master: Master) -> Point:
        scan = template.scan
        if scan and scan not in master.scan:
            self.draft.findings.add(
                template.place,
                f'"{template.name}": master "{master.name}" has no polling group {shown(scan)}',
                nearest(scan, master.scan, "its groups are"),
            )
        if not scan and not template.kind.is_output:
            scan = next(iter(master.scan))
        point = make(template, device.name, scan)
        if not template.feedback and not template.interlock:
            return point
        feedback = self._references.feedback(template, device)
        return dataclasses.replace(point, feedback=feedback, interlock=self._references.interlock(template, device))
