"""Debian's Chromium: where it is, and how it is started so that it calls no other machine."""

import importlib.util
from pathlib import Path

CHROMIUM = Path("/usr/bin/chromium")
MISSING = (
    "Chromium is not installed, so no page can be looked at: run `apt-get install -y --no-install-recommends chromium`."
)
SILENT = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


def check() -> None:
    """Raise SystemExit that says what is missing: the browser, or the library that drives it."""
    if not CHROMIUM.exists():
        raise SystemExit(MISSING)
    if importlib.util.find_spec("playwright") is None:
        raise SystemExit("Playwright is not installed; `make screenshots` installs it.")
