"""A password as /etc/shadow keeps it, by the system's own library: yescrypt with a fresh salt."""

from __future__ import annotations

import ctypes
import re

_LIBRARY = "libcrypt.so.1"
_PREFIX = b"$y$"
HASH = re.compile(r"\$y\$[./A-Za-z0-9]+\$[./A-Za-z0-9]{1,86}\$[./A-Za-z0-9]{43}")


def hashed(password: str) -> str:
    """The hash. Raises OSError where the library is missing or refuses."""
    library = ctypes.CDLL(_LIBRARY)
    library.crypt_gensalt.restype = library.crypt.restype = ctypes.c_char_p
    salt = library.crypt_gensalt(_PREFIX, ctypes.c_ulong(0), None, 0)
    found = library.crypt(password.encode(), salt) if salt else None
    text = found.decode("ascii", "replace") if found else ""
    if not HASH.fullmatch(text):
        raise OSError(f"{_LIBRARY} makes no yescrypt hash here")
    return text


def matches(password: str, hash_: str) -> bool:
    """Whether this password has that hash. Raises OSError."""
    library = ctypes.CDLL(_LIBRARY)
    library.crypt.restype = ctypes.c_char_p
    found = library.crypt(password.encode(), hash_.encode())
    return bool(found) and found.decode("ascii", "replace") == hash_
