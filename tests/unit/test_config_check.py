"""`tandem check` and `tandem pair`: what people and programs read, and keys with which TLS really meets."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import pytest

from tandem.manage import check, pair
from tandem.port.tls import load_keys
from tests.support.configs import EXAMPLE, example

BENCH = EXAMPLE.parents[1] / "board" / "bench"


def written(folder: Path, files: dict[str, str]) -> str:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return str(folder)


def test_a_right_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    assert check.run(["--config", str(EXAMPLE), "--board", "bench"]) == 0
    said, _, spare = capsys.readouterr().out.partition("The relays of board bench leave to spare:")
    assert "8 ms  the role contact is open within W of the last pulse" in spare
    assert said == (
        'The configuration of "cedar-creek" is right: 2 LANs, 2 serial lines, 2 masters with 3 devices and 17 points, '
        "1 slave with 11 rows.\n"
    )
    assert check.run(["--config", str(EXAMPLE)]) == 0
    assert "name the board" in capsys.readouterr().out


def test_a_wrong_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(
        tmp_path / "c", example(("m1.csv", "float32-abcd", "float32-acbd"), ("gateway.toml", '"ram"', '"rom"'))
    )
    assert check.run(["--config", folder]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == 'gateway.toml:55: [standby]: journal = "rom" is not known. Write one of "ram", "durable"'
    assert lines[1].startswith('m1.csv:2: encoding = "float32-acbd" is not known. Write one of')
    assert lines[-1] == "2 errors. The gateway does not start with this configuration."
    assert check.run(["--config", folder, "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["errors"], answer["findings"][0]["line"]) == (False, 2, 55)


def test_a_board_with_other_ports_and_slow_relays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (BENCH / "board.toml").read_text(encoding="utf-8")
    board = tmp_path / "slow"
    board.mkdir()
    (board / "board.toml").write_text(text.replace("bus1-b =", "bus7-b =").replace("= 120", "= 200"), encoding="utf-8")
    assert check.run(["--config", str(EXAMPLE), "--board", str(board)]) == 1
    assert "opens after 200 ms" in capsys.readouterr().out
    (board / "board.toml").write_text(text.replace("bus1-b =", "bus7-b ="), encoding="utf-8")
    assert check.run(["--config", str(EXAMPLE), "--board", str(board)]) == 1
    assert 'gateway.toml:31: the board has no serial port "bus1-b". Did you mean "bus7-b"?' in capsys.readouterr().out
    assert check.run(["--config", str(EXAMPLE), "--board", "bank"]) == 1
    assert "bank/board.toml:1: the board cannot be read" in capsys.readouterr().out
    assert check.run(["--nonsense"]) == 2


def test_keys_of_both_members(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    assert "run `python -m tandem pair" in (pair.keys_missing(a) or "")
    arguments = ["--a", str(a), "--b", str(b), "--config", str(EXAMPLE)]
    assert pair.run(arguments) == 0
    assert pair.keys_missing(a) is None and pair.keys_missing(str(b)) is None
    assert (a / "keys").stat().st_mode & 0o777 == 0o700
    assert {f.name: f.stat().st_mode & 0o777 for f in (a / "keys").iterdir()} == dict.fromkeys(pair.FILES, 0o600)
    assert (a / "keys/peer.crt").read_bytes() == (b / "keys/own.crt").read_bytes()
    assert (a / "keys/beat.key").read_bytes() == (b / "keys/beat.key").read_bytes()
    before = (a / "keys/own.key").read_bytes()
    assert pair.run(arguments) == 1 and "add --again" in capsys.readouterr().out
    assert (a / "keys/own.key").read_bytes() == before
    assert pair.run([*arguments, "--again"]) == 0
    assert (a / "keys/own.key").read_bytes() != before


def test_pair_refuses_one_folder_for_both_and_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(pair.PairError, match="same state folder"):
        pair.pair(tmp_path, tmp_path / ".." / tmp_path.name, "g")
    (tmp_path / "file").write_text("")
    with pytest.raises(pair.PairError, match="Make the folder writable"):
        pair.pair(tmp_path / "file", tmp_path / "b", "g")


def shaken(client: Path, server: Path) -> bool:
    """A TLS handshake in memory between two members' keys."""
    streams = (ssl.MemoryBIO(), ssl.MemoryBIO())
    ends = [load_keys(client / "keys").client.wrap_bio(streams[0], streams[1]),
            load_keys(server / "keys").server.wrap_bio(streams[1], streams[0], server_side=True)]  # fmt: skip
    done = [False, False]
    for _ in range(6):
        for number, end in enumerate(ends):
            try:
                if not done[number]:
                    end.do_handshake()
                    done[number] = True
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError:
                return False
    return all(done)


def test_the_members_meet_over_tls_and_a_stranger_does_not(tmp_path: Path) -> None:
    pair.pair(tmp_path / "a", tmp_path / "b", "g")
    pair.pair(tmp_path / "c", tmp_path / "d", "g")
    assert shaken(tmp_path / "a", tmp_path / "b") and shaken(tmp_path / "b", tmp_path / "a")
    assert not shaken(tmp_path / "c", tmp_path / "b")
