#!/bin/sh
# Makes .venv: `cxhub/setup.sh run` for what cxhub needs, `dev` also for tests, lint and types, `peer` also for comparisons.
# Does nothing when the requirement files are those of the last time. $PYTHON chooses the interpreter.
# Caches nothing outside the clone, unless UV_CACHE_DIR or PIP_CACHE_DIR says where.
set -eu
cd "$(dirname "$0")/.."
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV || :
here=$(pwd -P)
python=.venv/bin/python
suits='import sys, venv, ensurepip; assert sys.version_info >= (3, 11)'

fail() {
    printf '%s\n' "cxhub: $1" >&2
    exit 1
}

# Moved, half made, or of an interpreter that is gone: begin again.
if [ "$(cat .venv/cxhub-home 2>/dev/null)" != "$here" ] || ! "$python" -c "$suits" >/dev/null 2>&1; then
    found=
    for candidate in ${PYTHON:+"$PYTHON"} python3.13 python3.12 python3.11 python3.14 python3 python; do
        if "$candidate" -c "$suits" >/dev/null 2>&1; then
            found=$candidate
            break
        fi
    done
    [ -n "$found" ] || fail "needs Python 3.11 or later with venv and ensurepip (on Debian: python3-venv); PYTHON=/path/to/python chooses one"
    printf '%s\n' "cxhub: making .venv with $("$found" -c 'import sys; print(sys.executable)')" >&2
    rm -rf .venv
    "$found" -m venv --without-pip .venv || fail "could not make .venv"
    printf '%s\n' "$here" >.venv/cxhub-home
fi

with_uv() {
    uv --version >/dev/null 2>&1 || return 1
    if [ -z "${UV_CACHE_DIR:-}" ]; then set -- --no-cache "$@"; fi
    uv pip install --quiet --python "$python" --require-hashes "$@"
}

with_pip() {
    "$python" -m pip --version >/dev/null 2>&1 || "$python" -m ensurepip >/dev/null || return 1
    if [ -z "${PIP_CACHE_DIR:-}" ]; then set -- --no-cache-dir "$@"; fi
    "$python" -m pip --disable-pip-version-check install --quiet --require-hashes --root-user-action=ignore "$@"
}

install() {
    stamp=.venv/cxhub-$1
    now=$(cksum <"$2")
    [ "$(cat "$stamp" 2>/dev/null)" = "$now" ] && return
    printf '%s\n' "cxhub: installing $2" >&2
    with_uv -r "$2" || with_pip -r "$2" || fail "could not install $2"
    printf '%s\n' "$now" >"$stamp"
}

install run requirements.txt
case ${1:-run} in
    run) ;;
    dev) install dev requirements-dev.txt ;;
    peer) install dev requirements-dev.txt && install peer requirements-peer.txt ;;
    *) fail "cxhub/setup.sh run|dev|peer" ;;
esac
