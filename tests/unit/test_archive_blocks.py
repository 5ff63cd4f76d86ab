"""Files of blocks cut and damaged at every octet: whatever is left is whole, in order, and what is lost is seen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tandem.archive.block import SIZE, Block, Damage, Kind, pack, scan, whole

_BLOCKS = st.lists(
    st.builds(
        Block, st.sampled_from([int(k) for k in Kind]), st.integers(0, 255), st.integers(0, 2**32 - 1),
        st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.binary(max_size=90),
    ), max_size=6,
)  # fmt: skip


def _file(blocks: list[Block]) -> tuple[bytes, list[int]]:
    """The octets, and where each block ends."""
    octets, ends = b"", []
    for kind, flags, epoch, base, head, payload in blocks:
        octets += pack(Kind(kind), payload, epoch, base, head, flags)
        ends.append(len(octets))
    return octets, ends


@given(_BLOCKS)
def test_what_is_packed_is_found(blocks: list[Block]) -> None:
    octets, _ = _file(blocks)
    assert list(scan(octets)) == blocks
    assert whole(octets) == len(octets)


@given(_BLOCKS.filter(bool))
def test_a_file_cut_at_any_octet_gives_its_whole_blocks_and_one_torn_tail(blocks: list[Block]) -> None:
    octets, ends = _file(blocks)
    for cut in range(len(octets)):
        kept = sum(end <= cut for end in ends)
        found = list(scan(octets[:cut]))
        assert found[:kept] == blocks[:kept]
        end = ends[kept - 1] if kept else 0
        assert whole(octets[:cut]) == end
        assert found[kept:] == ([Damage(end, cut - end)] if cut > end else [])


@given(_BLOCKS.filter(bool), st.data())
def test_a_flipped_octet_costs_its_block_and_no_other(blocks: list[Block], data: st.DataObject) -> None:
    octets, ends = _file(blocks)
    at = data.draw(st.integers(0, len(octets) - 1))
    damaged = octets[:at] + bytes([octets[at] ^ data.draw(st.integers(1, 255))]) + octets[at + 1 :]
    hit = next(i for i, end in enumerate(ends) if at < end)
    found = [block for block in scan(damaged) if isinstance(block, Block)]
    assert found == blocks[:hit] + blocks[hit + 1 :]


def test_zeros_behind_the_last_block_are_a_torn_tail() -> None:
    """A file system may have made the file longer and never have written what stands there."""
    octets = pack(Kind.EVENTS, b"x" * 64, 2, 0, 2)
    assert whole(octets + bytes(5000)) == len(octets)
    assert list(scan(octets + bytes(5000)))[1:] == [Damage(len(octets), 5000)]


def test_a_length_beyond_the_file_is_damage_and_takes_no_memory() -> None:
    octets = bytearray(pack(Kind.EVENTS, b"x" * 64, 2, 0, 2))
    octets[8:12] = (1 << 31).to_bytes(4, "little")
    assert [type(found) for found in scan(bytes(octets))] == [Damage]
    assert SIZE == 32
