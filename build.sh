#!/usr/bin/env bash
# The one entrance. Alone it prints its verbs; each verb first makes .venv where it is missing or out of date.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly venv=.venv lock=requirements-dev.txt

say() { printf 'build.sh: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

usage() {
    cat <<'TEXT'
./build.sh run    a redundancy group on this machine: both members, field, control centers (--help: all it can do)
./build.sh lab    the same between network namespaces (root): real addresses, cables to pull; lab clean
./build.sh test   style rules, types and every test; the last line is pytest's count (--image: the booted image's)
./build.sh check  the style rules and types alone, in seconds
./build.sh sim    stories of two nodes in virtual time, each from a seed
./build.sh prove  stories, mutants and the walk for hours; what was run goes into docs/proof-ledger.jsonl
./build.sh bench  the figures: failover times, mirror lag, events a second
./build.sh wiring the wiring of every board, drawn from its data: docs/wiring, the boards' READMEs, docs/panel.md
./build.sh image  the system image of a board, its signed bundle and bill of materials, in out/ (--board NAME --release)
./build.sh boot   one gateway or a pair in QEMU, wired together, its console here (--pair)
./build.sh flash  an image onto a card: guarded, written, read back (--device /dev/sdX --board NAME)
./build.sh guardian install | version: the relay controller's program, onto an RP2040 by mpremote
./build.sh clean  remove .venv and everything that a build or a run left here
TEXT
}

# apt_get PACKAGE...: installs as root, after saying so; otherwise returns 1 and the caller says the cure.
apt_get() {
    command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || return 1
    say "running as root: installing with apt-get, system-wide: $*"
    apt_get_updated=${apt_get_updated:-$(DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2; echo yes)}
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}

find_python() {
    python=$(command -v python3) || { apt_get python3 && python=$(command -v python3); } ||
        die "there is no python3 here; install one of 3.11 or later: apt-get install python3 python3-venv"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        die "$python is $("$python" --version); Tandem needs Python 3.11 or later first on the PATH"
    "$python" -c 'import ensurepip, venv' 2>/dev/null || apt_get python3-venv ||
        die "Python's venv module is missing; install it with: sudo apt-get install python3-venv"
}

setup() {
    local want
    want=$(sha256sum "$lock")
    [ "$(cat $venv/tandem-lock 2>/dev/null)" = "$want" ] && [ -x $venv/bin/python ] && return
    find_python
    say "making $venv with $("$python" --version); nothing outside this folder is changed"
    rm -rf $venv
    "$python" -m venv $venv
    say "installing the pinned packages of $lock (about 40 MB, once)"
    $venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement "$lock"
    $venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
    printf '%s\n' "$want" > $venv/tandem-lock
    say "$venv is ready"
}

# The peers that tests talk to, each a program of its own: command or file, and the Debian package that has it.
peers() {
    local missing=() command package
    while read -r command package; do
        command -v "$command" >/dev/null || [ -e "$command" ] || missing+=("$package")
    done <<'LIST'
mbpoll mbpoll
tshark tshark
ip iproute2
/usr/sbin/nft nftables
zstd zstd
stress-ng stress-ng
systemd-analyze systemd
gcc gcc
/usr/include/stdlib.h libc6-dev
/usr/include/modbus/modbus.h libmodbus-dev
LIST
    [ ${#missing[@]} = 0 ] && return
    apt_get "${missing[@]}" && return
    say "PEERS MISSING: ${missing[*]}. Tests against them are skipped, and named again at the end."
    say "To have them: sudo apt-get install ${missing[*]}"
}

verb=${1:-}
[ $# = 0 ] || shift
case $verb in
    "") usage ;;
    run) setup; exec $venv/bin/python -m tools.run "$@" ;;
    lab) setup; exec $venv/bin/python -m tools.lab "$@" ;;
    test) setup; peers
        [ "${1:-}" = --image ] || exec $venv/bin/python -m pytest "$@"
        shift
        $venv/bin/python -m tools.image.host
        $venv/bin/python -m tools.image
        $venv/bin/python -m tools.image --board rpi3b
        TANDEM_TEST_IMAGE=1 exec $venv/bin/python -m pytest tests/image "$@" ;;
    check) setup; exec $venv/bin/python -m pytest tests/tidy "$@" ;;
    sim) setup; exec $venv/bin/python -m tools.sim "$@" ;;
    prove) setup; exec $venv/bin/python -m tools.sim.prove "$@" ;;
    bench) setup; exec $venv/bin/python -m tools.bench "$@" ;;
    guardian) setup; exec $venv/bin/python -m tools.guardian "$@" ;;
    image) setup; exec $venv/bin/python -m tools.image "$@" ;;
    boot) setup; exec $venv/bin/python -m tools.image.boot "$@" ;;
    flash) setup; exec $venv/bin/python -m tools.image.flash "$@" ;;
    wiring) setup; exec $venv/bin/python -m tools.wiring "$@" ;;
    clean) rm -rf $venv build out .pytest_cache .mypy_cache .ruff_cache .hypothesis firmware/*.egg-info
        find . -name __pycache__ -type d -prune -exec rm -rf {} + ;;
    *) usage >&2; die "there is no verb '$verb'" ;;
esac
