"""Quality flags: one table between `point.Quality` and the octets of IEC 60870-5-101 7.2.6.1 to 7.2.6.4.

    gateway                       SIQ DIQ QDS      BCR
    INVALID                       IV               IV
    NEVER_READ                    IV NT            IV
    NOT_TOPICAL                   NT               IV      (a counter reading has no NT)
    SUBSTITUTED_LOCAL, _REMOTE    SB               -
    BLOCKED, CHATTER              BL               -       (a chattering input is blocked)
    OVER_RANGE                    OV (QDS only)    -
    TEST                          the T bit of the cause of transmission
    TIME_INVALID                  the IV bit of the time tag
"""

from __future__ import annotations

from tandem.point import Quality

IV, NT, SB, BL, OV = 0x80, 0x40, 0x20, 0x10, 0x01
BCR_IV, BCR_CA, BCR_CY = 0x80, 0x40, 0x20
EI = 0x08  # of protection events: elapsed time invalid

TABLE: tuple[tuple[Quality, int], ...] = (
    (Quality.INVALID, IV),
    (Quality.NEVER_READ, IV | NT),
    (Quality.NOT_TOPICAL, NT),
    (Quality.SUBSTITUTED_LOCAL, SB),
    (Quality.SUBSTITUTED_REMOTE, SB),
    (Quality.BLOCKED, BL),
    (Quality.CHATTER, BL),
    (Quality.OVER_RANGE, OV),
)
_BACK: tuple[tuple[int, Quality], ...] = (
    (IV, Quality.INVALID),
    (NT, Quality.NOT_TOPICAL),
    (SB, Quality.SUBSTITUTED_REMOTE),
    (BL, Quality.BLOCKED),
    (OV, Quality.OVER_RANGE),
)
MASK = 0x3FF
"""Every flag of Quality: `TO_QDS[quality & MASK]`."""


def _octet(quality: int) -> int:
    octet = 0
    for flag, bits in TABLE:
        if quality & flag:
            octet |= bits
    return octet


def _flags(octet: int) -> int:
    flags = Quality.GOOD
    for bit, flag in _BACK:
        if octet & bit:
            flags |= flag
    return int(flags)


TO_QDS = bytes(_octet(quality) for quality in range(MASK + 1))
TO_SIQ = bytes(octet & 0xF0 for octet in TO_QDS)
TO_BCR = bytes(BCR_IV if octet & (IV | NT) else 0 for octet in TO_QDS)
FROM_QDS = tuple(_flags(octet) for octet in range(256))
FROM_SIQ = tuple(_flags(octet & 0xF0) for octet in range(256))

_QDS_NAMES = ((IV, "IV"), (NT, "NT"), (SB, "SB"), (BL, "BL"), (EI, "EI"), (OV, "OV"))
_BCR_NAMES = ((BCR_IV, "IV"), (BCR_CA, "CA"), (BCR_CY, "CY"))


def names(octet: int, counter: bool = False) -> list[str]:
    """The standard's short names of the flags set in an octet; `counter`: read it as BCR's."""
    return [name for bit, name in (_BCR_NAMES if counter else _QDS_NAMES) if octet & bit]
