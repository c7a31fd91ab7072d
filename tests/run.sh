#!/usr/bin/env bash
# What `make test` runs: all tests but the nightly ones on PROCESSES processes, then the two coverage gates. Ends with pytest's own last line.
set -uo pipefail
cd "$(dirname "$0")/.."
python="${PYTHON:-.venv/bin/python}"
processes="${PROCESSES:-2}"
log="$(mktemp)"
trap 'rm -f "$log"' EXIT

rm -f .coverage .coverage.*
"$python" -m pytest -p tests.counting --ignore=tests/performance -m "not nightly" -n "$processes" --dist loadfile --no-loadscope-reorder --hypothesis-profile=ci --durations=25 --durations-min=5 "$@" | tee "$log"
tests_rc=${PIPESTATUS[0]}

gate_rc=0
"$python" -m coverage combine -q
"$python" -m coverage json -q -o .coverage.json || gate_rc=$?
"$python" -m coverage report --skip-covered || gate_rc=$?
"$python" -m tests.architecture.coverage_gate .coverage.json || gate_rc=$?

grep -E '^=+ .*(passed|failed|error|no tests ran).* =+$' "$log" | tail -n 1
[ "$tests_rc" = 0 ] || exit "$tests_rc"
exit "$gate_rc"
