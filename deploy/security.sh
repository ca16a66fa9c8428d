#!/bin/sh
# What `make security` runs: bandit and rules of our own for the source, known weaknesses of dependencies, Django's
# own advice for production, the API against its schema, advisories of others against our doors, and fuzzing.
# Goes on after a failure, and ends with a list of what failed. FUZZ is how many inputs each reader and each verifier
# gets, WORKERS how many processes share them, CONTRACT how many made-up requests each operation of the API gets beside those at the edges of its fields.
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

# S603 and S607 tell of every program that is started; ours are lists of our own words, by names on purpose. Bandit
# itself looks for what is grave only: the rest is the same rules, which ruff knows with their reasons in the source.
check "bandit's rules" "$bin/ruff" check --quiet --select S --ignore S603,S607 .
check "bandit" "$bin/bandit" -q -lll -r agents billing chat knowledge netvexa tenants deploy
check "weaknesses of dependencies" "$bin/python" deploy/audit_dependencies.py
check "check --deploy" as_in_production
check "rules, advisories and fuzzing" env NETVEXA_FUZZ="${FUZZ:-100000}" \
    "$bin/python" -m pytest -q -n "${WORKERS:-2}" --dist worksteal --timeout 9000 tests/security --ignore tests/security/test_api_contract.py
check "the API's schema" env NETVEXA_CONTRACT="${CONTRACT:-20}" \
    "$bin/python" -m pytest -q --timeout 3000 tests/security/test_api_contract.py

if [ -n "$failed" ]; then
    echo "make security: failed: ${failed#, }" >&2
    exit 1
fi
echo "make security: everything passed."
