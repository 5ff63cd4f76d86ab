"""The build of one board's image, step by step; each is done again only when what goes into it changed."""

import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tandem import __version__
from tools.image import bundle, disk, loader, mirror, rootfs, sbom, tree, wheels
from tools.image import lock as locks
from tools.image.board import ROOT, Board
from tools.image.run import Failed, answer, command, say
from tools.image.step import Steps, digest, hash_file

LEVELS = {False: (6, 6), True: (19, 19)}
"""zstd levels of the root and of the whole, for a release or not."""

HERE = Path(__file__).parent


def cache() -> Path:
    """Where a build keeps what it can use again: TANDEM_IMAGE_CACHE, or build/image of the tree."""
    return Path(os.environ.get("TANDEM_IMAGE_CACHE") or ROOT / "build" / "image").resolve()


@dataclass
class Work:
    """One build: what for, and where its things are."""

    board: Board
    release: bool
    renew: bool
    steps: Steps
    folder: Path
    log: Path

    @classmethod
    def of(cls, board: Board, release: bool, renew: bool) -> "Work":
        folder = cache()
        log = folder / "log" / f"{board.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
        return cls(board, release, renew, Steps(folder / "steps.json"), folder, log)

    @property
    def version(self) -> str:
        """The image's version: the firmware's, marked where it is no release."""
        return __version__ if self.release else f"{__version__}-dev"

    @property
    def parts(self) -> Path:
        """Where this board's partitions are."""
        place = self.folder / (f"{self.board.name}-release" if self.release else self.board.name)
        place.mkdir(parents=True, exist_ok=True)
        return place

    @property
    def out(self) -> Path:
        """Where the results go."""
        return ROOT / "out" / self.board.name


def packages(work: Work) -> tuple[locks.Lock, str]:
    """Debian's side (root archive, boot loaders) as the lock says, or a new lock; the lock and the side's digest."""
    lock = None if work.renew else locks.read()
    archive, loaders, kept = work.folder / "rootfs.tar", work.folder / "loaders", work.folder / "versions.json"
    inputs = _debian_inputs(lock)
    done = not work.renew and work.steps.of("Debian") == inputs and archive.exists() and loaders.exists()
    if done and lock:
        say("Debian packages: as before")
        return lock, inputs
    epoch = lock.epoch if lock else int(time.time()) // 86400 * 86400
    site = mirror.find()
    if lock:
        _still_offered(lock, site, work)
    versions = loader.build(loaders, site, lock.versions if lock else {}, work.log)
    versions |= rootfs.build(archive, site, lock, epoch, work.log)
    kept.write_text(json.dumps(versions, indent=1, sort_keys=True))
    if lock is None:
        lock = locks.Lock(epoch, versions)
        locks.FILE.write_text(lock.text())
        say(f"{locks.FILE.name} written: {len(versions)} packages")
    elif wrong := locks.differences(lock.versions, versions):
        raise Failed(locks.refusal(wrong))
    inputs = _debian_inputs(lock)
    work.steps.note("Debian", inputs)
    return lock, inputs


def _still_offered(lock: locks.Lock, site: mirror.Mirror, work: Work) -> None:
    """Failed, within seconds and not after the long build, where the archive has moved on."""
    with tempfile.TemporaryDirectory() as folder:
        sources = site.sources(rootfs.SUITE, "main non-free-firmware")
        env = {"APT_CONFIG": str(loader.private_apt(Path(folder), sources, "arm64"))}
        command("package lists", ["apt-get", "update"], work.log, env)
        if wrong := locks.gone(lock.versions, answer(["apt-cache", "madison", *lock.versions], env)):
            raise Failed(locks.refusal(wrong))


def _debian_inputs(lock: locks.Lock | None) -> str:
    parts = [HERE / "packages.txt", HERE / "rootfs.py", HERE / "loader.py"]
    return digest(*parts, lock.text() if lock else "no lock")


def python(work: Work) -> str:
    """The wheels, checked against their hashes; their digest."""
    folder = work.folder / "wheels"
    pins = json.dumps(wheels.pins(wheels.LOCK.read_text()))
    locked = "" if work.renew or not wheels.HASHES.exists() else wheels.HASHES.read_text()

    def fetch() -> None:
        wheels.fetch(folder, work.log)
        if not locked:
            wheels.write_lock(folder)
        elif wrong := wheels.differences(wheels.hashes(locked), folder):
            raise Failed("the wheels are not those of the lock:\n  " + "\n  ".join(wrong))

    work.steps.do("wheels", digest(pins, locked, HERE / "wheels.py"), [folder], fetch)
    return digest(folder)


def system(work: Work, lock: locks.Lock, debian: str, wheels_digest: str, keys: bundle.Keys) -> None:
    """The slot's two images, root and boot, of this board."""
    parts, level = work.parts, LEVELS[work.release][0]
    boards = sorted((ROOT / "board").glob("*/board.toml"))
    firmware = [path for name in ("tandem", "guardian") if (path := ROOT / "firmware" / name).is_dir()]
    recipe = [HERE / name for name in ("tree.py", "left-out.txt", "initramfs-modules.txt", "disk.py")]
    documents = sorted((ROOT / "docs").glob("*.md"))
    inputs = digest(debian, wheels_digest, work.version, level, keys.keyring.read_bytes(), work.board)
    inputs = digest(inputs, *recipe, *tree.overlays(), *firmware, *boards, *documents)

    def make() -> None:
        root = work.folder / "root"
        rootfs.unpack(work.folder / "rootfs.tar", root, work.log)
        folder = work.folder / "wheels"
        tree.build(root, work.board, work.version, keys.keyring, folder, lock.epoch, work.log)
        ramdisk = work.folder / "initrd.img"
        own = digest(debian, HERE / "initramfs-modules.txt", *_initramfs_files())
        work.steps.do("RAM disk", own, [ramdisk], lambda: tree.initramfs(root, ramdisk, lock.epoch, work.log))
        boot = parts / "boot"
        shutil.rmtree(boot, ignore_errors=True)
        boot.mkdir()
        shutil.copyfile(root / "boot" / f"vmlinuz-{rootfs.kernel(root)}", boot / "vmlinuz")
        shutil.copyfile(ramdisk, boot / "initrd.img")
        trees = root / f"usr/lib/linux-image-{rootfs.kernel(root)}" / "broadcom"
        shutil.rmtree(work.folder / "trees", ignore_errors=True)
        shutil.copytree(trees, work.folder / "trees")
        tree.trim(root, work.log)
        tree.settle_times(root, lock.epoch)
        tree.settle_times(boot, lock.epoch)
        disk.squashfs(root, parts / "rootfs.img", level, lock.epoch, work.log)
        disk.ext4(parts / "boot.img", disk.BOOT_MIB, "boot", boot, lock.epoch, work.log)

    made = [parts / "rootfs.img", parts / "boot.img", work.folder / "trees"]
    work.steps.do(f"system of {parts.name}", inputs, made, make)


def _initramfs_files() -> list[Path]:
    found = ((overlay / "etc/initramfs-tools") for overlay in tree.overlays())
    return [path for path in found if path.exists()]


def whole(work: Work, lock: locks.Lock, keys: bundle.Keys) -> list[Path]:
    """The disk, compressed, and the bundle, in out/; every result's path."""
    parts, name = work.parts, f"tandem-{work.board.name}-{work.version}"
    work.out.mkdir(parents=True, exist_ok=True)
    image, compressed, update = work.out / f"{name}.img", work.out / f"{name}.img.zst", work.out / f"{name}.raucb"
    slot = [hash_file(parts / "rootfs.img"), hash_file(parts / "boot.img")]
    recipe = [HERE / "disk.py", HERE / "boot.cmd", disk.TREES, work.board.folder, LEVELS[work.release][1]]

    def put_together() -> None:
        folder = parts / "firmware"
        disk.firmware(work.board, work.folder / "loaders/files", work.folder / "trees", folder, work.log)
        tree.settle_times(folder, lock.epoch)
        disk.fat(folder, parts / "firmware.fat", lock.epoch, work.log)
        disk.ext4(parts / "data.ext4", disk.DATA_MIB, "data", None, lock.epoch, work.log)
        disk.whole(work.board, parts, image, work.log)
        disk.compress(image, compressed, LEVELS[work.release][1], work.log)

    def sign() -> None:
        bundle.build(work.board, work.version, parts, keys, update, work.log)

    work.steps.do(f"disk of {parts.name}", digest(*slot, *recipe, lock.text()), [image, compressed], put_together)
    work.steps.do(f"bundle of {parts.name}", digest(*slot, keys.certificate, work.version), [update], sign)
    return [compressed, update]


def describe(work: Work, lock: locks.Lock, results: list[Path]) -> None:
    """Bill of materials, checksums and inputs beside the results."""
    name = f"tandem-{work.board.name}-{work.version}"
    wheel_hashes = wheels.hashes(wheels.HASHES.read_text())
    bill = work.out / f"{name}.spdx.json"
    bill.write_text(sbom.document(name, work.version, lock.versions, wheel_hashes, lock.epoch))
    inputs = {
        "board": work.board.name,
        "version": work.version,
        "commit": tree.commit_of_tree(),
        "epoch": lock.epoch,
        "debian.lock": hash_file(locks.FILE),
        "wheels": wheel_hashes,
        "rootfs.img": hash_file(work.parts / "rootfs.img"),
        "boot.img": hash_file(work.parts / "boot.img"),
    }
    listed = work.out / f"{name}.inputs.json"
    listed.write_text(json.dumps(inputs, indent=1, sort_keys=True) + "\n")
    sums = [f"{hash_file(file)}  {file.name}" for file in sorted([*results, bill, listed])]
    (work.out / f"{name}.sha256").write_text("\n".join(sums) + "\n")


def image(board: Board, release: bool, renew: bool) -> list[Path]:
    """Build everything of one board; what lies in out/ afterwards."""
    began = time.monotonic()
    work = Work.of(board, release, renew)
    keys = bundle.keys(work.folder / "keys", release, work.log)
    lock, debian = packages(work)
    system(work, lock, debian, python(work), keys)
    results = whole(work, lock, keys)
    describe(work, lock, results)
    for file in results:
        say(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1e6:.0f} MB")
    say(f"done in {time.monotonic() - began:.0f} s; log: {work.log}")
    return results
