"""The root as the image has it: Debian's, the overlays, the firmware, what a gateway never needs left out."""

import os
import shutil
import stat
from pathlib import Path

from tools.image import rootfs, wheels
from tools.image.board import ROOT, Board
from tools.image.run import Failed, answer, command

HOME = "usr/lib/tandem"

# The file `left-out.txt` lists what is deleted: drivers of what no board has, and what only installing needs.
LEFT_OUT = Path(__file__).parent / "left-out.txt"
MODULES = Path(__file__).parent / "initramfs-modules.txt"


def overlays() -> list[Path]:
    """The trees that every product image has, in the order they are laid."""
    return sorted(path for path in (ROOT / "overlays").iterdir() if path.is_dir() and path.name != "develop")


def lay(source: Path, target: Path) -> None:
    """Copy a tree over another: links as they are, files 0755 or 0644 by whether git has them executable."""
    for entry in sorted(source.iterdir()):
        place = target / entry.name
        if entry.is_symlink():
            place.unlink(missing_ok=True)
            place.symlink_to(os.readlink(entry))
        elif entry.is_dir():
            if not place.is_dir():
                place.mkdir()
                place.chmod(0o755)
            if entry.name != "__pycache__":
                lay(entry, place)
        else:
            place.unlink(missing_ok=True)
            shutil.copyfile(entry, place)
            place.chmod(0o755 if os.access(entry, os.X_OK) else 0o644)


def build(root: Path, board: Board, version: str, keyring: Path, wheel_folder: Path, epoch: int, log: Path) -> None:
    """Make the unpacked Debian `root` the image's."""
    for overlay in overlays():
        lay(overlay, root)
    home = root / HOME
    (home / "firmware").mkdir(parents=True, exist_ok=True)
    (home / "board").mkdir(exist_ok=True)
    for package in ("tandem", "guardian"):
        if (ROOT / "firmware" / package).is_dir():
            (home / "firmware" / package).mkdir()
            lay(ROOT / "firmware" / package, home / "firmware" / package)
    for folder in sorted((ROOT / "board").iterdir()):
        if (folder / "board.toml").exists():
            (home / "board" / folder.name).mkdir()
            shutil.copyfile(folder / "board.toml", home / "board" / folder.name / "board.toml")
    (home / "board.env").write_text(f"TANDEM_BOARD={board.name}\n")
    (home / "variant").write_text(f"{board.name}\n")
    (home / "version").write_text(f"{version}\n")
    manager = f"[Manager]\nRuntimeWatchdogSec={board.watchdog_s}s\n"
    (root / "usr/lib/systemd/system.conf.d/20-board.conf").write_text(manager)
    shutil.copyfile(keyring, root / "etc/rauc/keyring.pem")
    documents = root / "usr/share/doc/tandem"
    documents.mkdir(parents=True)
    for page in sorted((ROOT / "docs").glob("*.md")):
        shutil.copyfile(page, documents / page.name)
    shutil.copyfile(ROOT / "LICENSE", documents / "LICENSE")
    wheels.install(wheel_folder, home / "packages", log)
    epoch_env = {"SOURCE_DATE_EPOCH": str(epoch)}
    command("users", ["chroot", root, "systemd-sysusers"], log, epoch_env)
    places = [f"/{HOME}/firmware", f"/{HOME}/packages"]
    words = ["chroot", root, "/usr/bin/python3", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command("Python compiled", [*words, *places], log, epoch_env)


def initramfs(root: Path, out: Path, epoch: int, log: Path) -> None:
    """Make the initial RAM disk of the root's kernel, of the listed modules alone."""
    settings = root / "etc/initramfs-tools"
    (settings / "conf.d/tandem").write_text("MODULES=list\nCOMPRESS=zstd\nRESUME=none\nFSTYPE=squashfs\n")
    (settings / "modules").write_text("\n".join(rootfs.lines(MODULES)) + "\n")
    made = root / "boot/initrd.tandem"
    inside = f"mount -t proc proc {root}/proc && mount -t tmpfs tmpfs {root}/tmp && mount --bind /dev {root}/dev"
    inside += f" && exec chroot {root} mkinitramfs -o /boot/initrd.tandem {rootfs.kernel(root)}"
    env = {"SOURCE_DATE_EPOCH": str(epoch)}
    command("initial RAM disk (emulated, a minute or two)", ["unshare", "--mount", "sh", "-c", inside], log, env)
    shutil.move(made, out)


def trim(root: Path, log: Path) -> None:
    """Leave out what a gateway never needs, and let the modules' index know."""
    release = rootfs.kernel(root)
    for pattern in rootfs.lines(LEFT_OUT):
        for place in sorted(root.glob(pattern.replace("KERNEL", release))):
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            else:
                place.unlink()
    command("module index", ["depmod", "--basedir", root, release], log)


def settle_times(root: Path, epoch: int) -> None:
    """No file is younger than the build's own time, so two builds are the same."""
    for folder, names, files in os.walk(root):
        for name in [*names, *files, "."]:
            path = os.path.join(folder, name)
            found = os.lstat(path)
            if found.st_mtime > epoch:
                os.utime(path, (epoch, epoch), follow_symlinks=False)


def special_files(root: Path) -> list[str]:
    """Files that run with another's rights, for the report."""
    found = []
    for folder, _, files in os.walk(root):
        for name in files:
            path = Path(folder, name)
            mode = path.lstat().st_mode
            if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
                found.append(f"/{path.relative_to(root)}")
    return sorted(found)


def commit_of_tree() -> str:
    """The commit that the tree stands at, with `+` where files differ from it; "unknown" outside a clone."""
    try:
        head = answer(["git", "-C", ROOT, "rev-parse", "--short=12", "HEAD"]).strip()
        return head + ("+" if answer(["git", "-C", ROOT, "status", "--porcelain"]).strip() else "")
    except (Failed, OSError):
        return "unknown"
