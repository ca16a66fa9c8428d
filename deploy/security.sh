#!/bin/sh
# What `make security` runs: rules for the source, Django's own advice for production, and fuzzing.
# Goes on after a failure, and ends with a list of what failed. FUZZ is how many inputs each reader gets.
set -u

bin=${VENV:-.venv}/bin
failed=

check() {
    name=$1
    shift
    printf -- '--- %s\n' "$name"
    "$@" || failed="$failed, $name"
}

as_in_production() {
    DATABASE_URL=postgresql://nobody@127.0.0.1:1/none REDIS_URL=redis://127.0.0.1:1 NETVEXA_ENVIRONMENT=production \
        NETVEXA_ROOT_URL=https://netvexa.example NETVEXA_SECRET_KEY=$("$bin/python" -c 'import secrets; print(secrets.token_urlsafe(60))') \
        "$bin/python" manage.py check --deploy --fail-level WARNING
}

check "bandit's rules" "$bin/ruff" check --quiet --select S .
check "check --deploy" as_in_production
check "fuzzing" env NETVEXA_FUZZ="${FUZZ:-24000}" "$bin/python" -m pytest -q tests/security

if [ -n "$failed" ]; then
    echo "make security: failed: ${failed#, }" >&2
    exit 1
fi
echo "make security: everything passed. Weaknesses of dependencies were not looked up: see docs/security.md."
