"""Boot loaders and the Raspberry's firmware: Debian packages unpacked here, through apt's private lists."""

import shutil
from pathlib import Path

from tools.image.mirror import Mirror
from tools.image.rootfs import SUITE
from tools.image.run import answer, command

PACKAGES = ("u-boot-qemu", "u-boot-rpi", "raspi-firmware")


def private_apt(folder: Path, sources: str, architecture: str) -> Path:
    """An apt configuration that knows only `sources` and writes only below `folder`; for APT_CONFIG."""
    for part in ("lists/partial", "cache/archives/partial", "etc", "state"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "sources.list").write_text(sources)
    (folder / "status").touch()
    settings = {
        "Dir::Etc::SourceList": folder / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Etc::Preferences": "/dev/null",
        "Dir::Etc::PreferencesParts": "/dev/null",
        "Dir::State": folder / "state",
        "Dir::State::Lists": folder / "lists",
        "Dir::State::Status": folder / "status",
        "Dir::Cache": folder / "cache",
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",
    }
    file = folder / "apt.conf"
    file.write_text("".join(f'{key} "{value}";\n' for key, value in settings.items()))
    return file


def build(folder: Path, mirror: Mirror, pinned: dict[str, str], log: Path) -> dict[str, str]:
    """Unpack all of PACKAGES into `folder`, made anew; the versions they have."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sources = mirror.sources(SUITE, "main non-free-firmware")
    env = {"APT_CONFIG": str(private_apt(folder / "apt", sources, "arm64"))}
    command("package lists for the boot loaders", ["apt-get", "update"], log, env)
    wanted = [f"{name}={pinned[name]}" if name in pinned else name for name in PACKAGES]
    command("boot loaders", ["apt-get", "download", *wanted], log, env, folder)
    versions = {}
    for file in sorted(folder.glob("*.deb")):
        name, version = answer(["dpkg-deb", "--show", "--showformat=${Package} ${Version}", file]).split()
        versions[name] = version
        command(f"{name} unpacked", ["dpkg-deb", "-x", file, folder / "files"], log)
        file.unlink()
    shutil.rmtree(folder / "apt")
    return versions
