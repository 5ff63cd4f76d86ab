"""A group file from a few addresses, and which further files a group names. Pure: texts in, texts out."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from tandem.config.schema import MAIN_FILE

_LIST = re.compile(r'"(\w[\w.-]*\.csv)"|(?<![\w."-])(\w[\w-]*\.csv)(?![\w"])', re.ASCII)


@dataclass(slots=True, frozen=True)
class LanAnswers:
    """What was answered for one LAN: its interface, the shared address with prefix length, each member's own."""

    name: str
    interface: str
    group: str
    a: str
    b: str


def interface_address(text: str, like: str = "") -> str:
    """ADDRESS/PREFIX in its usual form; without a prefix that of `like`. Raises ValueError with a sentence."""
    whole = text.strip()
    if "/" not in whole:
        if not like:
            raise ValueError("write it with its prefix length, such as 10.1.1.10/24")
        whole = f"{whole}/{like.partition('/')[2]}"
    try:
        found = ipaddress.ip_interface(whole)
    except ValueError:
        raise ValueError(f"{text.strip()!r} is no address; write one such as 10.1.1.10/24") from None
    if like and found.network != ipaddress.ip_interface(like).network:
        raise ValueError(f"{found} is not in the network of {like}")
    return str(found)


def group_text(name: str, lans: Iterable[LanAnswers], crossover: str) -> str:
    """A gateway.toml of these LANs and the crossover port ("": none): software arbitration, no masters, no slaves."""
    lines = ["format = 1", "", "[group]", f'name = "{name}"']
    paths = []
    for lan in lans:
        lines += ["", f"[lan.{lan.name}]", f'group = "{lan.group}"']
        for member, own in (("a", lan.a), ("b", lan.b)):
            lines.append(f'{member} = {{ interface = "{lan.interface}", address = "{own}" }}')
        paths.append(f"lan.{lan.name}")
    if crossover:
        lines += ["", "[serial.crossover]", f'a = "{crossover}"', f'b = "{crossover}"', "baud = 115200"]
        paths.append("serial.crossover")
    quoted = ", ".join(f'"{path}"' for path in paths)
    lines += ["", "[standby]", f"paths = [{quoted}]", 'arbitration = "software"', ""]
    return "\n".join(lines)


def missing_lists(texts: dict[str, str]) -> list[str]:
    """Names of lists that the group's files speak of and that are not among them, first mentioned first."""
    named = [
        quoted or plain
        for name, text in sorted(texts.items(), key=lambda item: item[0] != MAIN_FILE)
        for line in text.splitlines()
        for quoted, plain in _LIST.findall(line.partition("#")[0])
    ]
    return [name for name in dict.fromkeys(named) if name not in texts]
