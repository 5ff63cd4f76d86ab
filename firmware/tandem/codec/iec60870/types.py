"""Every type identification of IEC 60870-5-101 and -104 that the gateway knows: number, name, elements, time tag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tandem.codec.iec60870 import elements as e
from tandem.codec.iec60870.elements import Element, Values


class AsduType(NamedTuple):
    """One type. `size` is an object's octets without its address; `open`: octets of any number follow it (files)."""

    number: int
    name: str
    elements: tuple[Element, ...]
    size: int
    time: str  # "", "cp24" or "cp56"
    control: bool  # only the controlling station sends it first
    open: bool = False

    def unpack(self, octets: bytes, at: int) -> Values:
        """The named values of one object, its elements beginning at `at`."""
        values: Values = {}
        for element in self.elements:
            values.update(element.unpack(octets, at))
            at += element.size
        if self.open:
            values["data"] = octets[at:].hex()
        return values

    def pack(self, values: Mapping[str, Any]) -> bytes:
        """The elements of one object. Raises FrameError for values that do not fit, KeyError for missing ones."""
        octets = b"".join([element.pack(values) for element in self.elements])
        return octets + bytes.fromhex(values["data"]) if self.open else octets


TYPES: dict[int, AsduType] = {}
BY_NAME: dict[str, AsduType] = {}


def _type(number: int, name: str, *parts: Element, open_end: bool = False) -> None:
    time = "cp24" if e.CP24 in parts else "cp56" if e.CP56 in parts else ""
    made = AsduType(number, name, parts, sum(p.size for p in parts), time, 45 <= number <= 69 or number > 99, open_end)
    TYPES[number] = BY_NAME[name] = made


_MONITOR: tuple[tuple[str, tuple[int, int, int], tuple[Element, ...]], ...] = (
    ("SP", (1, 2, 30), (e.SIQ,)),
    ("DP", (3, 4, 31), (e.DIQ,)),
    ("ST", (5, 6, 32), (e.VTI, e.QDS)),
    ("BO", (7, 8, 33), (e.BSI, e.QDS)),
    ("ME", (9, 10, 34), (e.NVA, e.QDS)),
    ("ME", (11, 12, 35), (e.SVA, e.QDS)),
    ("ME", (13, 14, 36), (e.R32, e.QDS)),
    ("IT", (15, 16, 37), (e.BCR,)),
)
_SUFFIXES = {9: ("NA", "TA", "TD"), 11: ("NB", "TB", "TE"), 13: ("NC", "TC", "TF")}
for _family, _numbers, _parts in _MONITOR:
    _words = _SUFFIXES.get(_numbers[0], ("NA", "TA", "TB"))
    for _n, _word, _tag in zip(_numbers, _words, ((), (e.CP24,), (e.CP56,)), strict=True):
        _type(_n, f"M_{_family}_{_word}_1", *_parts, *_tag)
for _first, _suffix, _stamp in ((17, "TA", e.CP24), (38, "TD", e.CP56)):
    _type(_first, f"M_EP_{_suffix}_1", e.SEP, e.CP16, _stamp)
    _type(_first + 1, f"M_EP_{'TB' if _first == 17 else 'TE'}_1", e.SPE, e.QDP, e.CP16, _stamp)
    _type(_first + 2, f"M_EP_{'TC' if _first == 17 else 'TF'}_1", e.OCI, e.QDP, e.CP16, _stamp)
_type(20, "M_PS_NA_1", e.SCD, e.QDS)
_type(21, "M_ME_ND_1", e.NVA)
_type(70, "M_EI_NA_1", e.COI)

_CONTROL: tuple[tuple[str, tuple[Element, ...]], ...] = (
    ("C_SC_NA_1", (e.SCO,)),
    ("C_DC_NA_1", (e.DCO,)),
    ("C_RC_NA_1", (e.RCO,)),
    ("C_SE_NA_1", (e.NVA, e.QOS)),
    ("C_SE_NB_1", (e.SVA, e.QOS)),
    ("C_SE_NC_1", (e.R32, e.QOS)),
    ("C_BO_NA_1", (e.BSI,)),
)
for _offset, (_name, _parts) in enumerate(_CONTROL):
    _type(45 + _offset, _name, *_parts)
    _type(58 + _offset, _name.replace("_N", "_T"), *_parts, e.CP56)
_type(100, "C_IC_NA_1", e.QUALIFIER)
_type(101, "C_CI_NA_1", e.QCC)
_type(102, "C_RD_NA_1")
_type(103, "C_CS_NA_1", e.CP56)
_type(104, "C_TS_NA_1", e.FBP)
_type(105, "C_RP_NA_1", e.QUALIFIER)
_type(106, "C_CD_NA_1", e.CP16)
_type(107, "C_TS_TA_1", e.TSC, e.CP56)
_type(110, "P_ME_NA_1", e.NVA, e.QPM)
_type(111, "P_ME_NB_1", e.SVA, e.QPM)
_type(112, "P_ME_NC_1", e.R32, e.QPM)
_type(113, "P_AC_NA_1", e.QUALIFIER)
_type(120, "F_FR_NA_1", e.NOF, e.LOF, e.QUALIFIER)
_type(121, "F_SR_NA_1", e.NOF, e.NOS, e.LOF, e.QUALIFIER)
_type(122, "F_SC_NA_1", e.NOF, e.NOS, e.QUALIFIER)
_type(123, "F_LS_NA_1", e.NOF, e.NOS, e.QUALIFIER, e.CHS)
_type(124, "F_AF_NA_1", e.NOF, e.NOS, e.QUALIFIER)
_type(125, "F_SG_NA_1", e.NOF, e.NOS, e.LOS, open_end=True)
_type(126, "F_DR_TA_1", e.NOF, e.LOF, e.SOF, e.CP56)
# 127 carries a range: its two tags share their words, the second one (the end) is what `time_us` shows.
_type(127, "F_SC_NB_1", e.NOF, e.CP56, e.CP56)

WITHOUT_TIME: dict[int, int] = {number: numbers[0] for _, numbers, _ in _MONITOR for number in numbers} | {21: 21}
"""Monitor type -> the type of the same family without time tag: what interrogation and read answer with."""
COMMANDS: dict[int, int] = {n: n for n in range(45, 52)} | {n + 13: n for n in range(45, 52)}
"""Command type, with or without time tag -> the one without: a row accepts both."""
SLAVE_MONITOR: frozenset[str] = frozenset(TYPES[n].name for n in (*WITHOUT_TIME,) if TYPES[n].time != "cp24")
SLAVE_CONTROL: frozenset[str] = frozenset(TYPES[n].name for n in COMMANDS)
"""The type names that a row of an IEC 104 slave list may give."""

CAUSES: dict[int, str] = {
    1: "periodic",
    2: "background scan",
    3: "spontaneous",
    4: "initialised",
    5: "request",
    6: "activation",
    7: "activation confirmation",
    8: "deactivation",
    9: "deactivation confirmation",
    10: "activation termination",
    11: "return information of a remote command",
    12: "return information of a local command",
    13: "file transfer",
    20: "interrogated by station interrogation",
    **{20 + group: f"interrogated by group {group} interrogation" for group in range(1, 17)},
    37: "requested by general counter request",
    **{37 + group: f"requested by group {group} counter request" for group in range(1, 5)},
    44: "unknown type identification",
    45: "unknown cause of transmission",
    46: "unknown common address",
    47: "unknown information object address",
}
