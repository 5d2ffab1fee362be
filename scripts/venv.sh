#!/usr/bin/env bash
# Makes .venv and installs the files of requirements given as arguments. PYTHON chooses the interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "$1" >&2; exit 1; }

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        new_enough "$PYTHON" || fail "PYTHON=$PYTHON is not a Python 3.11 or newer."
        echo "$PYTHON"
        return
    fi
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if new_enough "$name"; then echo "$name"; return; fi
    done
    fail "Python 3.11 or newer was not found: install it, or name it with PYTHON=..."
}

make_environment() {
    local python
    python=$(find_python)
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -m venv .venv
    elif command -v uv >/dev/null; then
        uv venv --quiet --seed --python "$python" .venv
    elif [ -n "${CI:-}" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
        "$python" -m venv .venv
    else
        fail "$python cannot make a virtual environment: install Debian's package python3-venv (or the program uv)."
    fi
}

# A half-made or moved environment, or one whose interpreter has gone, is made anew.
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    rm -rf .venv
    make_environment
fi
for file in "$@"; do
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$file" ||
        fail "The packages of $file could not be installed: see above."
done
