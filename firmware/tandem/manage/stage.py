"""`python -m tandem.manage.stage`: verifies a packed configuration beside a running member and puts it on flash.

A process of its own, since reading long lists would hold up the loop. Standard input is the pack ("" with --name: one
of the state folder), standard output one JSON object: {"why"}, or {"id", "tables", "about"} with the pack and the
point ids in the state folder.
"""

from __future__ import annotations

import argparse
import json
import sys

from tandem import kept as keep
from tandem.config.load import parse_octets
from tandem.config.model import Config
from tandem.config.pack import Pack, unpack
from tandem.config.rollable import cannot_roll
from tandem.manage.choose import first_of
from tandem.past import Past
from tandem.port.board import Board, BoardError, load_board
from tandem.port.disk import StateFolder
from tandem.registry import PointTable, Registry
from tandem.system import point_table


def main(argv: list[str]) -> int:
    """Stage and print; always exit code 0: the answer says what became of it."""
    parser = argparse.ArgumentParser(prog="python -m tandem.manage.stage")
    parser.add_argument("--state", required=True)
    parser.add_argument("--board", required=True)
    parser.add_argument("--member", required=True)
    parser.add_argument("--name", default="")
    parser.add_argument("--given", action="store_true")
    asked = parser.parse_args(argv)
    text = sys.stdin.read()
    try:
        state = StateFolder(asked.state)
        board = load_board(asked.board, asked.member)
        answer = stage(state, board, text or state.read(keep.pack_file(asked.name)), asked.given)
    except (OSError, ValueError, BoardError) as error:
        answer = {"why": str(error)}
    print(json.dumps(answer))
    return 0


def stage(state: StateFolder, board: Board, text: str, given: bool) -> dict[str, object]:
    """Verify the pack and write it; `given`: with the ids that the active gave. Raises OSError or ValueError."""
    pack = unpack(text)
    config = _parse(pack, board, "the configuration")
    runs = keep.read(state.read(keep.FILE)).running
    running = _parse(unpack(state.read(keep.pack_file(runs))), board, "what runs")
    registry = Registry.from_json(pack.registry if given else state.read(Past.REGISTRY))
    before, after = point_table(running, registry), point_table(config, registry)
    refused = [] if given else cannot_roll(running, config)
    if refused:
        return {"why": "; ".join(refused[:3]) + (f"; and {len(refused) - 3} more" if len(refused) > 3 else "")}
    ids = registry.to_json()
    written = Pack(pack.files, ids).text()
    for name, content in ((Past.REGISTRY, ids), (keep.pack_file(config.digest), written)):
        if fault := state.write(name, content):
            raise ValueError(fault)
    tables = {running.digest: before.digest().hex(), config.digest: after.digest().hex()}
    return {"id": config.digest, "tables": tables, "about": _about(config, before, after)}


def _parse(pack: Pack, board: Board, what: str) -> Config:
    config, findings = parse_octets(pack.files, board.relay, what, frozenset(board.serial_ports))
    if config is None:
        raise ValueError(f"{what} has faults: {first_of(findings)}")
    return config


def _about(config: Config, before: PointTable, after: PointTable) -> str:
    old, new = set(before.by_name), set(after.by_name)
    return f"configuration {config.digest[:12]}, {len(new)} points, {len(new - old)} of them new, {len(old - new)} gone"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
