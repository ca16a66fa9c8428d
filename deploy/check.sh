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

# In a copy, because installing and building write.
widget() {
    copy=$(mktemp -d) || return 1
    tools=$(cd "$bin" && pwd)
    mkdir "$copy/static" && cp -R static/. "$copy/static" && cp -R templates "$copy/templates" &&
        mkdir "$copy/widget" && tar -C widget --exclude=node_modules -cf - . | tar -C "$copy/widget" -xf - &&
        (cd "$copy/widget" && PATH="$tools:$PATH" && npm ci --no-audit --no-fund --silent &&
            npm run --silent check && npm run --silent build) &&
        diff -rq static "$copy/static"
    result=$?
    [ $result = 0 ] || echo "Where files differ, static/ is older than widget/: run 'make build' and commit." >&2
    rm -rf "$copy"
    return $result
}

check "ruff check" "$bin/ruff" check --quiet .
check "ruff format" "$bin/ruff" format --check --quiet .
check "mypy" "$bin/mypy" .
if [ -d templates ]; then check "djlint" "$bin/djlint" --lint --check --quiet templates; fi
check "import-linter" "$bin/lint-imports" --no-cache --no-logo
check "makemigrations" migrations
if [ -f widget/package.json ]; then check "widget" widget; fi

if [ -n "$failed" ]; then
    echo "make check: failed: ${failed#, }" >&2
    exit 1
fi
echo "make check: everything passed."
