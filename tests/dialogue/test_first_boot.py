"""The first boot's questions: what is typed and what is asked, as a person sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tandem.config.board import read_board
from tandem.config.load import parse_octets
from tandem.config.pack import Pack
from tandem.firstboot.dialogue import Dialogue
from tandem.firstboot.group import interface_address, missing_lists
from tandem.firstboot.source import PASTE_MOST
from tandem.firstboot.wish import BeginPairing, Compared, EndPairing, Finish, LookAtSticks

EXAMPLE = Path(__file__).resolve().parents[2] / "tools" / "example-group"
PASSWORD = "four plain words here"


@pytest.fixture
def dialogue() -> Dialogue:
    board, findings = read_board("qemu-virt")
    assert board is not None, findings
    return Dialogue(board)


def typed(dialogue: Dialogue, *lines: str) -> str:
    for line in lines:
        dialogue.answer(line)
    return dialogue.output()


LANS = ("10.1.1.10/24", "10.1.1.11", "10.1.1.12", "10.1.2.10/24", "10.1.2.11", "10.1.2.12")
ADDRESSES = ("b", "1", "cedar-creek", *LANS)


def test_a_few_addresses_make_a_group_and_the_member_is_paired(dialogue: Dialogue) -> None:
    assert "Which member" in dialogue.output()
    said = typed(dialogue, *ADDRESSES)
    assert 'The group "cedar-creek" is right' in said and said.endswith("(it is not shown): ")
    assert dialogue.secret
    assert "Pair with the other member" in typed(dialogue, PASSWORD, PASSWORD) and not dialogue.secret
    typed(dialogue, "")
    (begin,) = dialogue.wishes()
    assert isinstance(begin, BeginPairing) and begin.member == "b" and begin.group
    for said_by in (("found", "a"), ("code", "123 456")):
        dialogue.pairing(said_by)
    said = dialogue.output()
    assert "Member a answers" in said and "123 456" in said and said.endswith("(yes or no) ")
    typed(dialogue, "perhaps", "yes")
    assert dialogue.wishes() == [Compared(True)]
    dialogue.pairing(("done", ""))
    said = dialogue.output()
    assert "Member b of cedar-creek, paired: lan1 10.1.1.12, lan2 10.1.2.12" in said
    typed(dialogue, "yes")
    (finish,) = dialogue.wishes()
    assert isinstance(finish, Finish) and finish.member == "b" and finish.paired and finish.password == PASSWORD
    config, findings = parse_octets(finish.files)
    assert config is not None and not findings, findings
    assert config.standby.paths == ("lan.lan1", "lan.lan2", "serial.crossover")
    assert config.standby.arbitration == "software" and not config.masters and not config.slaves


def test_what_is_wrong_is_asked_again_with_its_cure(dialogue: Dialogue) -> None:
    assert "write one of these letters" in typed(dialogue, "c")
    assert "Write the number" in typed(dialogue, "a", "5")
    said = typed(dialogue, "1", "", "g", "10.1.1.10", "300.1.1.1/24", "10.1.1.10/24", "10.1.7.11")
    assert "with its prefix length" in said and "is no address" in said and "not in the network of 10.1.1.10/24" in said
    said = typed(dialogue, "10.1.1.11", "10.1.1.11", "")
    assert "cannot be used" in said and said.endswith("Number: "), "one address of two members"
    typed(dialogue, "1", "g", "10.1.1.10/24", "10.1.1.11", "10.1.1.12", "")
    assert dialogue.secret
    assert "has 10 to 200 letters" in typed(dialogue, "short")
    assert "five different letters" in typed(dialogue, "aaaaaaaaaaaa")
    assert "not the same" in typed(dialogue, PASSWORD, PASSWORD + "!")
    assert PASSWORD not in typed(dialogue, PASSWORD, PASSWORD)


def test_pasted_files_are_asked_for_by_name(dialogue: Dialogue) -> None:
    typed(dialogue, "a", "2")
    names = []
    while dialogue._source.pasting:
        names.append(dialogue._source.pasting)
        lines = (EXAMPLE / dialogue._source.pasting).read_text().splitlines()
        said = typed(dialogue, *lines, ".")
    assert names == ["gateway.toml", "feeder-relay.csv", "meters.csv", "scada.csv", "m1.csv"]
    assert "has no serial port" in said, "this board has other names of its ports"


def test_a_paste_without_end_is_ended(dialogue: Dialogue) -> None:
    typed(dialogue, "a", "2")
    said = typed(dialogue, *(["#" * 4000] * (PASTE_MOST // 4000 + 1)))
    assert "use a USB stick" in said and said.endswith("Number: ")


def test_a_stick_is_looked_at_and_the_first_folder_taken(dialogue: Dialogue) -> None:
    typed(dialogue, "a", "3")
    assert dialogue.wishes() == [LookAtSticks()]
    dialogue.sticks({})
    assert "no gateway.toml on a USB stick" in dialogue.output()
    typed(dialogue, "3")
    dialogue.sticks({"sda1/old": {"gateway.toml": b"format = 1\n"}, "sda1/z": {}})
    said = dialogue.output()
    assert "the first one is taken" in said and "the files of sda1/old cannot be used" in said


def test_the_group_of_the_peer_comes_with_the_pairing(dialogue: Dialogue) -> None:
    typed(dialogue, "b", "4", PASSWORD, PASSWORD)
    assert "there is no group" in typed(dialogue, "later")
    typed(dialogue, "4", PASSWORD, PASSWORD, "yes")
    wishes = dialogue.wishes()
    assert wishes == [BeginPairing("b", None)]
    dialogue.pairing(("code", "000 001"))
    typed(dialogue, "yes")
    other = Dialogue(dialogue._board)
    typed(other, *ADDRESSES, PASSWORD, PASSWORD, "")
    (begin,) = other.wishes()
    assert isinstance(begin, BeginPairing) and begin.group
    dialogue.pairing(("done", begin.group))
    typed(dialogue, "yes")
    finish = dialogue.wishes()[-1]
    assert isinstance(finish, Finish) and Pack(finish.files).text() == begin.group


def test_a_pairing_that_fails_is_asked_for_again_and_later_is_an_answer(dialogue: Dialogue) -> None:
    typed(dialogue, *ADDRESSES, PASSWORD, PASSWORD, "yes")
    dialogue.pairing(("failed", "the codes differ"))
    said = dialogue.output()
    assert "The pairing ended: the codes differ." in said and "(yes, or later)" in said
    typed(dialogue, "yes", "")
    assert dialogue.wishes()[-1] == EndPairing(), "return stops waiting"
    said = typed(dialogue, "later")
    assert "will run alone" in said and "not paired" in said
    typed(dialogue, "yes")
    finish = dialogue.wishes()[-1]
    assert isinstance(finish, Finish) and not finish.paired


def test_again_begins_anew_anywhere_but_in_a_password_and_a_paste(dialogue: Dialogue) -> None:
    assert typed(dialogue, "a", "again").endswith("a or b? ")
    assert typed(dialogue, *ADDRESSES, PASSWORD, PASSWORD, "yes", "again").endswith("a or b? ")
    typed(dialogue, "a", "2", "again")
    assert dialogue._source.pasting == "gateway.toml"


def test_pairing_anew_changes_nothing_else() -> None:
    board, _ = read_board("qemu-virt")
    assert board is not None
    dialogue = Dialogue(board, "a")
    typed(dialogue, "later", "yes")
    assert dialogue.wishes() == [BeginPairing("a", "")]
    dialogue.pairing(("code", "1"))
    typed(dialogue, "yes")
    dialogue.pairing(("done", ""))
    assert "nothing else" in typed(dialogue, "yes")
    assert dialogue.wishes()[-1] == Finish("a", {}, "", True)


def test_addresses_and_names_of_lists() -> None:
    assert interface_address(" 10.1.1.10/24 ") == "10.1.1.10/24"
    assert interface_address("10.1.1.11", "10.1.1.10/24") == "10.1.1.11/24"
    texts = {"gateway.toml": 'points = "a.csv"\n# "no.csv"\n', "a.csv": "name,points\nF1,b-2.csv\n"}
    assert missing_lists(texts) == ["b-2.csv"]
    assert missing_lists({"gateway.toml": 'points = "a.csv"'}) == ["a.csv"]
