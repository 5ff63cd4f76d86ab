"""`python -m tandem pair`: makes the keys with which two members know each other.

Each member gets, in STATE/keys: its private key and certificate, the peer's certificate, which is all that it will
ever accept on the hot-standby link, and the key of the beats, which both share.
"""

from __future__ import annotations

import argparse
import datetime
import os
import secrets
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tandem.config.load import ConfigError, load

FILES = ("own.key", "own.crt", "peer.crt", "beat.key")
BEAT_KEY_OCTETS = 32
# A pinned certificate proves a key, not a date, and a board may wake up with a wrong clock: it never expires.
_FROM = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
_UNTIL = datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)


class PairError(Exception):
    """The keys cannot be written, in a sentence with its cure."""


def run(argv: list[str]) -> int:
    """Make the keys of both members; exit code 1 when something stands in the way."""
    parser = argparse.ArgumentParser(prog="tandem pair", description="Make the keys of both members of a group.")
    parser.add_argument("--a", required=True, help="state folder of member a")
    parser.add_argument("--b", required=True, help="state folder of member b")
    parser.add_argument("--config", default="", help="folder with gateway.toml: the group's name in the certificates")
    parser.add_argument(
        "--again", action="store_true", help="replace keys that are there; both members need the new ones"
    )
    try:
        asked = parser.parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        group = load(asked.config).group.name if asked.config else "tandem"
        pair(Path(asked.a), Path(asked.b), group, asked.again)
    except ConfigError as error:
        print(f"{error}\n\nNo keys were made: cure the configuration first.")
        return 1
    except PairError as error:
        print(error)
        return 1
    print(f'Members a and b of "{group}" are paired: {asked.a}/keys and {asked.b}/keys. Keep both folders private.')
    return 0


def pair(state_a: Path, state_b: Path, group: str, again: bool = False) -> None:
    """Write the keys of both members, mode 0600 in folders of mode 0700. Raises PairError; nothing is half made."""
    if state_a.resolve() == state_b.resolve():
        raise PairError("both members have the same state folder: name one for each")
    for state in (state_a, state_b):
        found = [name for name in FILES if (state / "keys" / name).exists()]
        if found and not again:
            raise PairError(f"{state / 'keys'} has {', '.join(found)} already: add --again to replace the keys of both")
    beat = secrets.token_bytes(BEAT_KEY_OCTETS)
    own = {member: identity(f"{group}/{member}") for member in ("a", "b")}
    try:
        for state, member, peer in ((state_a, "a", "b"), (state_b, "b", "a")):
            write_keys(state / "keys", (*own[member], own[peer][1], beat))
    except OSError as error:
        raise PairError(
            f"the keys cannot be written: {error.strerror}: {error.filename}. Make the folder writable"
        ) from error


def keys_missing(state: Path | str) -> str | None:
    """The sentence that says which keys a state folder lacks and how they are made; None when all are there."""
    folder = Path(state) / "keys"
    missing = [name for name in FILES if not (folder / name).is_file()]
    if not missing:
        return None
    return (
        f"{folder} has no {', '.join(missing)}: run `python -m tandem pair --a STATE_A --b STATE_B` once for the group"
    )


def identity(name: str) -> tuple[bytes, bytes]:
    """(private key, self-signed certificate) as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, certificate.public_bytes(serialization.Encoding.PEM)


def write_keys(folder: Path, contents: tuple[bytes, ...]) -> None:
    """The four files of FILES, whole and through to the flash, mode 0600 in a folder of mode 0700. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name, octets in zip(FILES, contents, strict=True):
        new = folder / f"{name}.new"
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
    for name in FILES:
        (folder / f"{name}.new").replace(folder / name)
