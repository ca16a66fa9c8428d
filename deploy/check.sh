#!/bin/sh
# Everything that is wrong and can be seen without running the product. Writes nothing into the project,
# goes on after a failure, and ends with a list of what failed.
set -u

bin=${VENV:-.venv}/bin
failed=

check() {
    name=$1
    shift
    printf -- '--- %s\n' "$name"
    "$@" || failed="$failed, $name"
}

# The settings want addresses and a key; nothing is asked for at these, and no file is written.
export DATABASE_URL=postgresql://nobody@127.0.0.1:1/none REDIS_URL=redis://127.0.0.1:1
export NETVEXA_ENVIRONMENT=test NETVEXA_SECRET_KEY=none

# The history in the database is not compared: there is none here.
migrations() {
    "$bin/python" -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
}

# In a copy of the project, because installing writes.
browser_code() {
    copy=$(mktemp -d) || return 1
    tar --exclude=./.venv --exclude=./.git --exclude=./var --exclude=node_modules -cf - . | tar -C "$copy" -xf -
    tools=$(cd "$bin" && pwd)
    (cd "$copy/$1" && PATH="$tools:$PATH" && npm install --no-save --no-audit --no-fund --silent && npm run --silent check)
    result=$?
    rm -rf "$copy"
    return $result
}

check "ruff check" "$bin/ruff" check --quiet .
check "ruff format" "$bin/ruff" format --check --quiet .
check "mypy" "$bin/mypy" .
if [ -d templates ]; then check "djlint" "$bin/djlint" --lint --quiet templates; fi
check "import-linter" "$bin/lint-imports" --no-cache --no-logo
check "makemigrations" migrations
for folder in widget static/src; do
    if [ -f $folder/package.json ]; then check "$folder" browser_code $folder; fi
done

if [ -n "$failed" ]; then
    echo "make check: failed: ${failed#, }" >&2
    exit 1
fi
echo "make check: everything passed."
