"""A configuration as one text: what a commit hands from member to member and keeps in the state folder.

    base64 of zlib of JSON {"pack": 1, "files": {NAME: TEXT}, "registry": {NAME: ID} or null}

`registry`: every point id as of the commit, so that both members give new points the same ids.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from tandem.config.files import MOST_FILES, MOST_OCTETS

PACK_MAX = 16 << 20
"""Octets of a packed configuration; the lists of a hundred thousand points are a few of them."""
_FORMAT = 1


@dataclass(slots=True, frozen=True)
class Pack:
    """Files by name, and the point ids as JSON ("" where they are still to be given)."""

    files: dict[str, bytes]
    registry: str = ""

    def text(self) -> str:
        """Packed. Raises ValueError where that is larger than PACK_MAX."""
        files = {name: text for name, octets in sorted(self.files.items()) if (text := _readable(octets)) is not None}
        registry = json.loads(self.registry) if self.registry else None
        plain = json.dumps({"pack": _FORMAT, "files": files, "registry": registry}).encode()
        packed = base64.b64encode(zlib.compress(plain, 6)).decode()
        if len(packed) > PACK_MAX:
            raise ValueError(f"the configuration has {len(packed)} octets when packed; at most {PACK_MAX} travel")
        return packed


def unpack(text: str) -> Pack:
    """What `Pack.text` made. Raises ValueError with a sentence for anything else."""
    try:
        if len(text) > PACK_MAX:
            raise ValueError(f"it has more than {PACK_MAX} octets")
        unzip = zlib.decompressobj()
        plain = unzip.decompress(base64.b64decode(text, validate=True), 2 * MOST_OCTETS)
        if not unzip.eof:
            raise ValueError("it ends too early, or is too large when unpacked")
        row = json.loads(plain)
        if not isinstance(row, dict) or row.get("pack") != _FORMAT:
            raise ValueError(f"it is not of format {_FORMAT}")
        return Pack(_files(row["files"]), json.dumps(row["registry"]) if row["registry"] is not None else "")
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error, zlib.error) as error:
        raise ValueError(f"the packed configuration is damaged: {error}") from None


def _files(rows: object) -> dict[str, bytes]:
    if not isinstance(rows, Mapping) or len(rows) > MOST_FILES:
        raise ValueError(f"its files are no map of at most {MOST_FILES}")
    for name, text in rows.items():
        if not isinstance(text, str) or not name or "/" in name or name.startswith("."):
            raise ValueError(f"it has a file {name!r}")
    return {name: text.encode() for name, text in rows.items()}


def _readable(octets: bytes) -> str | None:
    """The text; None for a file that is not UTF-8: no configuration can use it."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return None
