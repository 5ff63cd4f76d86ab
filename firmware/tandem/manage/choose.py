"""Which configuration a start runs: the committed one in the state folder, or the folder named by --config.

The newer one: --config counts as newer when it holds something else than it did when the committed one was activated;
a committed one on trial always runs. A configuration on trial that does not load, or was started too often
without ever being healthy, is given up for the one before it. What runs is kept in the state folder from then on.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, replace

from tandem import kept as keep
from tandem.config.files import read_folder
from tandem.config.finding import ConfigError, Finding
from tandem.config.load import parse_octets, verify
from tandem.config.model import Config
from tandem.config.pack import Pack, unpack
from tandem.config.timing import RelayTimes
from tandem.kept import Kept
from tandem.port.disk import StateFolder

_log = logging.getLogger("tandem")


@dataclass(slots=True)
class _Start:
    """One start's looking around."""

    folder: str
    state: StateFolder
    relay: RelayTimes | None
    ports: frozenset[str]

    def files(self) -> dict[str, bytes] | None:
        """The octets of --config; None where it cannot be read."""
        try:
            return read_folder(self.folder)
        except OSError:
            return None

    def kept(self) -> Kept:
        """What is remembered; nothing where that is damaged."""
        try:
            return keep.read(self.state.read_all((keep.FILE,))[keep.FILE])
        except ValueError as error:
            _log.error("%s: %s runs", error, self.folder)
            return Kept()

    def committed(self, name: str) -> Config:
        """A configuration of the state folder. Raises ValueError with a sentence."""
        pack = unpack(self.state.read(keep.pack_file(name)))
        config, findings = parse_octets(pack.files, self.relay, self.state.path.name, self.ports)
        if config is None:
            raise ValueError(first_of(findings))
        if config.digest != name:
            raise ValueError("its files are not those that it is named by")
        return config


def choose(folder: str, state: StateFolder, relay: RelayTimes | None, ports: frozenset[str]) -> Config:
    """The configuration to run, kept in the state folder from now on. Raises ConfigError, OSError or ValueError."""
    start = _Start(folder, state, relay, ports)
    kept, files = start.kept(), start.files()
    mark = _mark(files)
    if kept.trial:
        kept = _one_more_start(kept, start)
        config = _load(kept.running, start, "the committed configuration on trial")
        if config is None and kept.trial:
            kept = kept.give_up("its files did not load")
            config = _load(kept.running, start, "the configuration before it")
        if config is not None:
            return _keep(config, replace(kept, origin=mark), None, start)
    if kept.running and (files is None or mark == kept.origin):
        config = _load(kept.running, start, "the committed configuration")
        if config is not None:
            return _keep(config, kept, files, start)
    return _from_folder(kept, files, mark, start)


def peek(folder: str, state: StateFolder, relay: RelayTimes | None, ports: frozenset[str]) -> Config:
    """What the next start would run, without a trace of having asked. Raises ConfigError."""
    start = _Start(folder, state, relay, ports)
    kept, files = start.kept(), start.files()
    if kept.running and (kept.trial or files is None or _mark(files) == kept.origin):
        config = _load(kept.running, start, "the committed configuration")
        if config is not None:
            return config
    config, findings = verify(folder, relay, ports)
    config = config or (_load(kept.running, start, "the last good configuration") if kept.running else None)
    if config is None:
        raise ConfigError(findings)
    return config


def is_on_trial(state: StateFolder) -> bool:
    """What runs was committed and did not prove itself yet."""
    try:
        return bool(keep.read(state.read(keep.FILE)).trial)
    except (OSError, ValueError):
        return False


def _one_more_start(kept: Kept, start: _Start) -> Kept:
    """Counted before it is tried: a start that ends the process counts too."""
    if kept.trial > keep.TRIAL_STARTS:
        kept = kept.give_up(f"it was started {keep.TRIAL_STARTS} times and was never healthy")
        _log.error("configuration %s is given up: %s", kept.previous[:12], kept.why)
    else:
        kept = replace(kept, trial=kept.trial + 1)
    _write(start.state, keep.FILE, kept.to_json())
    return kept


def _load(name: str, start: _Start, what: str) -> Config | None:
    try:
        config = start.committed(name)
    except (OSError, ValueError) as error:
        _log.error("%s %s cannot be used: %s", what, name[:12], error)
        return None
    _log.info("%s %s runs, from the state folder", what, name[:12])
    return config


def _from_folder(kept: Kept, files: dict[str, bytes] | None, mark: str, start: _Start) -> Config:
    config, findings = verify(start.folder, start.relay, start.ports)
    if config is None:
        last = _load(kept.running, start, "the last good configuration") if kept.running else None
        if last is None:
            raise ConfigError(findings)
        _log.error("%s was changed and is wrong: %s; correct it and commit it", start.folder, first_of(findings))
        return last
    if kept.running not in ("", config.digest):
        _log.warning("%s was changed after the last commit: it runs, uncommitted, on this member", start.folder)
    previous = kept.running if kept.running != config.digest else kept.previous
    kept = replace(kept, running=config.digest, previous=previous, origin=mark, trial=0, why="")
    return _keep(config, kept, files, start)


def _keep(config: Config, kept: Kept, files: dict[str, bytes] | None, start: _Start) -> Config:
    """What runs is in the state folder, and nothing that is no longer needed."""
    state, name = start.state, keep.pack_file(config.digest)
    if files is not None and not (state.path / name).exists():
        _write(state, name, Pack(files).text())
    if state.read_all((keep.FILE,))[keep.FILE] != kept.to_json():
        _write(state, keep.FILE, kept.to_json())
    needed = {keep.pack_file(one) for one in kept.needed}
    for old in state.path.glob(keep.pack_file("*")):
        if old.name not in needed:
            old.unlink(missing_ok=True)
    return config


def _write(state: StateFolder, name: str, text: str) -> None:
    if fault := state.write(name, text):
        _log.error("%s; a commit cannot be kept", fault)


def _mark(files: dict[str, bytes] | None) -> str:
    """Of all octets that a folder's configuration could be made of; "" for a folder that cannot be read."""
    total = hashlib.sha256()
    for name, octets in sorted((files or {}).items()):
        total.update(f"{name}\0{len(octets)}\0".encode() + octets)
    return total.hexdigest() if files is not None else ""


def first_of(findings: list[Finding]) -> str:
    """The first error as a sentence, and how many more there are."""
    errors = [finding for finding in findings if finding.level == "error"]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{errors[0]}{more}" if errors else "it is not right"
