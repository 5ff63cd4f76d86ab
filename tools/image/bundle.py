"""The signed bundle that updates a system slot, and the keys that sign it."""

import os
import shutil
from pathlib import Path

from tools.image.board import Board
from tools.image.run import Failed, command


class Keys:
    """Where the signer's key and certificate are, and the certificate that a gateway believes."""

    def __init__(self, key: Path, certificate: Path, keyring: Path) -> None:
        self.key, self.certificate, self.keyring = key, certificate, keyring


def keys(folder: Path, release: bool, log: Path) -> Keys:
    """The release's own from TANDEM_SIGNING_KEY, _CERT, _KEYRING; else a development key, made once in `folder`."""
    given = [os.environ.get(f"TANDEM_SIGNING_{part}") for part in ("KEY", "CERT", "KEYRING")]
    if all(given):
        key, certificate, keyring = (Path(str(part)).resolve() for part in given)
        for file in (key, certificate, keyring):
            if not file.is_file():
                raise Failed(f"{file} is no file: TANDEM_SIGNING_KEY, _CERT and _KEYRING name PEM files")
        return Keys(key, certificate, keyring)
    if release or any(given):
        raise Failed(
            "a release is signed with the release's own key: set TANDEM_SIGNING_KEY, TANDEM_SIGNING_CERT and "
            "TANDEM_SIGNING_KEYRING to PEM files; without --release a development key is made"
        )
    found = Keys(folder / "development.key", folder / "development.pem", folder / "development.pem")
    if not found.key.exists() or not found.certificate.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        words += ["-days", "7300", "-subj", "/O=Tandem/CN=development", "-addext", "keyUsage=critical,digitalSignature"]
        command("development key", [*words, "-keyout", found.key, "-out", found.certificate], log)
    return found


def manifest(board: Board, version: str) -> str:
    """RAUC's manifest: both images of a slot, for one board alone."""
    return (
        f"[update]\ncompatible=tandem\nversion={version}\n\n[bundle]\nformat=verity\n\n"
        f"[image.rootfs.{board.name}]\nfilename=rootfs.img\n\n[image.boot.{board.name}]\nfilename=boot.img\n"
    )


def build(board: Board, version: str, parts: Path, signed: Keys, out: Path, log: Path) -> None:
    """Write the bundle `out` from the slot's two images in `parts`."""
    work = parts / "bundle"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    for name in ("rootfs.img", "boot.img"):
        os.link(parts / name, work / name)
    (work / "manifest.raucm").write_text(manifest(board, version))
    out.unlink(missing_ok=True)
    words = ["rauc", "bundle", "--cert", signed.certificate, "--key", signed.key, "--keyring", signed.keyring]
    command("bundle signed", [*words, work, out], log)
    shutil.rmtree(work)
