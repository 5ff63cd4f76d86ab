"""The partitions and the disk they make: the same octets whenever the same goes in."""

import shutil
import subprocess
import tempfile
import uuid
import zlib
from pathlib import Path

from tools.image.board import ROOT, Board
from tools.image.run import Failed, command

SPACE = uuid.UUID("7f1a7cde-3a7c-4c53-9f52-7c1d5a2f6a10")
"""Names of partitions and file systems are made from this one."""

FIRMWARE_MIB, BOOT_MIB, ROOT_MIB, DATA_MIB = 64, 80, 320, 64
"""Sizes of the partitions; the data partition grows to the card's end at its first start."""

ALIGN_MIB = 4
"""Cards erase in blocks of so much at most: no partition shares one with another."""
ENV_SIZE = 0x4000
HERE = Path(__file__).parent
TREES = ROOT / "board/trees"
NATIVE_ENVIRONMENT = {
    "bootdelay": "-2",  # the peer's beats come over the crossover: no octet may stop the start
    "bootcmd": "load mmc 0:1 ${scriptaddr} boot.scr && source ${scriptaddr}; reset",
    "devtype": "mmc",
    "devnum": "0",
    "scriptaddr": "0x02400000",
    "kernel_addr_r": "0x04000000",
    "ramdisk_addr_r": "0x0a000000",
    "fdt_high": "ffffffffffffffff",
    "initrd_high": "ffffffffffffffff",
}
"""The Raspberry's U-Boot reads the whole of its variables from `uboot.env`, which nobody writes again."""


def name_of(what: str) -> str:
    """The UUID that a part of the disk always has."""
    return str(uuid.uuid5(SPACE, what))


def squashfs(root: Path, out: Path, level: int, epoch: int, log: Path) -> None:
    """Pack the root; `level` is zstd's."""
    out.unlink(missing_ok=True)
    words = ["mksquashfs", root, out, "-comp", "zstd", "-Xcompression-level", str(level), "-noappend", "-no-progress"]
    command(f"root packed (zstd {level})", [*words, "-no-exports"], log, {"SOURCE_DATE_EPOCH": str(epoch)})
    if out.stat().st_size > ROOT_MIB << 20:
        raise Failed(f"the packed root has {out.stat().st_size >> 20} MiB and its slot {ROOT_MIB}: leave more out")


def ext4(out: Path, mib: int, label: str, source: Path | None, epoch: int, log: Path) -> None:
    """An ext4 of `mib` MiB, filled from a folder."""
    out.unlink(missing_ok=True)
    ident = name_of(label)
    options = f"hash_seed={ident},lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0"
    words: list[object] = ["mkfs.ext4", "-q", "-F", "-L", label, "-U", ident, "-E", options]
    words += ["-d", source] if source else []
    times = {"E2FSPROGS_FAKE_TIME": str(epoch), "SOURCE_DATE_EPOCH": str(epoch)}
    command(f"file system {label}", [*words, out, f"{mib}M"], log, times)
    if source:
        _still(out, [f"/{file.relative_to(source)}" for file in sorted(source.rglob("*"))], epoch, log)


def _still(image: Path, files: list[str], epoch: int, log: Path) -> None:
    """Give every inode the build's time: mkfs.ext4 takes over when the files were last read and changed here."""
    fields = [(f"{kind}time", f"@{epoch}") for kind in "acm"] + [(f"{kind}time_extra", "0") for kind in "acm"]
    fields += [("crtime", f"@{epoch}"), ("crtime_extra", "0")]
    words = [f"set_inode_field {file} {name} {value}\n" for file in ("/", *files) for name, value in fields]
    with tempfile.NamedTemporaryFile("w", suffix=".debugfs") as asked:
        asked.write("".join(words))
        asked.flush()
        command("its times", ["debugfs", "-w", "-f", asked.name, image], log, {"E2FSPROGS_FAKE_TIME": str(epoch)})


def environment(values: dict[str, str]) -> bytes:
    """U-Boot's checksummed memory with these variables, ENV_SIZE octets."""
    body = b"".join(f"{key}={value}".encode() + b"\0" for key, value in values.items())
    body = (body + b"\0").ljust(ENV_SIZE - 4, b"\xff")
    return zlib.crc32(body).to_bytes(4, "little") + body


def firmware(board: Board, loaders: Path, trees: Path, folder: Path, log: Path) -> None:
    """Fill `folder` with what the first partition has: the board's firmware, U-Boot, its script and its memory."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    script = ["mkimage", "-A", "arm64", "-T", "script", "-C", "none", "-n", "tandem", "-d", HERE / "boot.cmd"]
    command("boot script", [*script, folder / "boot.scr"], log, {"SOURCE_DATE_EPOCH": "0"})
    (folder / "board.txt").write_text(f"console={board.console}\ntandem_fdt={board.device_tree}\n")
    (folder / "slots.env").write_bytes(environment({"BOOT_ORDER": "A B", "BOOT_A_LEFT": "3", "BOOT_B_LEFT": "0"}))
    if not board.loader:
        return
    shutil.copyfile(loaders / f"usr/lib/u-boot/{board.loader}/u-boot.bin", folder / "u-boot.bin")
    for name in board.firmware:
        shutil.copyfile(loaders / "usr/lib/raspi-firmware" / name, folder / name)
    shutil.copyfile(board.folder / "config.txt", folder / "config.txt")
    (folder / "uboot.env").write_bytes(environment(NATIVE_ENVIRONMENT))
    device_tree(trees / board.tree, [TREES / f"{name}.dts" for name in board.overlays], folder / board.tree, log)


def device_tree(tree: Path, overlays: list[Path], out: Path, log: Path) -> None:
    """Lay `overlays`, sources of ours, over a tree of the kernel: the firmware has nothing to lay over it itself."""
    with tempfile.TemporaryDirectory() as scratch:
        compiled = [Path(scratch) / f"{overlay.stem}.dtbo" for overlay in overlays]
        for overlay, binary in zip(overlays, compiled, strict=True):
            words = ["dtc", "-q", "-@", "-I", "dts", "-O", "dtb", "-o", binary, overlay]
            command(f"device tree {overlay.stem}", words, log)
        command(f"device tree {out.name}", ["fdtoverlay", "-i", tree, "-o", out, *compiled], log)


def fat(folder: Path, out: Path, epoch: int, log: Path) -> None:
    """A FAT file system with the folder's files."""
    out.unlink(missing_ok=True)
    with out.open("wb") as empty:
        empty.truncate(FIRMWARE_MIB << 20)
    times = {"SOURCE_DATE_EPOCH": str(epoch), "TZ": "UTC"}
    kind = ["mkfs.vfat", "-F", "32", "-n", "FIRMWARE", "-i", "54414e44", "--invariant", out]
    command("file system FIRMWARE", kind, log, times)
    files = sorted(folder.iterdir())
    command("firmware partition filled", ["mcopy", "-s", "-m", "-i", out, *files, "::"], log, times)


def table(board: Board, parts: Path) -> str:
    """genimage's description of the whole disk; `parts` has the partitions' files."""
    rows = [
        ("firmware", "firmware.fat", "F", FIRMWARE_MIB),
        ("boot-a", "boot.img", "L", BOOT_MIB),
        ("root-a", "rootfs.img", "L", ROOT_MIB),
        ("boot-b", None, "L", BOOT_MIB),
        ("root-b", None, "L", ROOT_MIB),
        ("data", "data.ext4", "L", DATA_MIB),
    ]
    text = [
        f'image "{board.name}.img" {{',
        "  hdimage {",
        f'    partition-table-type = "{board.table}"',
        f'    disk-uuid = "{name_of("disk")}"',
        f"    align = {ALIGN_MIB}M",
        "  }",
    ]
    for name, file, kind, mib in rows:
        text.append(f"  partition {name} {{")
        if file:
            text.append(f'    image = "{parts / file}"')
        text.append(f'    size = {mib}M\n    partition-type-uuid = "{kind}"\n    partition-uuid = "{name_of(name)}"')
        if board.table == "hybrid" and name == "firmware":
            text.append("    partition-type = 0x0c")
        text.append("  }")
    return "\n".join([*text, "}", ""])


def whole(board: Board, parts: Path, out: Path, log: Path) -> None:
    """Put the partitions of `parts` together into the disk `out`."""
    work = parts / "genimage"
    shutil.rmtree(work, ignore_errors=True)
    (work / "empty").mkdir(parents=True)
    (work / "genimage.cfg").write_text(table(board, parts))
    words: list[object] = ["genimage", "--config", work / "genimage.cfg", "--rootpath", work / "empty"]
    words += ["--tmppath", work / "tmp", "--inputpath", parts, "--outputpath", work / "out"]
    command("partition table", words, log)
    shutil.move(work / "out" / f"{board.name}.img", out)


def compress(source: Path, out: Path, level: int, log: Path) -> None:
    """zstd, on all cores; the same octets at any number of them."""
    command(f"compressed (zstd {level})", ["zstd", "-q", "-f", "-T0", f"-{level}", source, "-o", out], log)


def dump_tree(image: Path) -> str:
    """What sfdisk says of a disk's partitions, for tests and people."""
    return subprocess.run(["sfdisk", "--dump", image], capture_output=True, text=True, check=True).stdout
