"""Compares a text with the one that is committed under `files/`, and rewrites that one on demand."""

import difflib
import json
import os
from pathlib import Path

FILES = Path(__file__).parent / "files"
SWITCH = "WEIGHBRIDGE_GOLDEN"
DIFF_LINES_MAX = 200


def check(name: str, text: str) -> None:
    """The committed file holds exactly this text. With WEIGHBRIDGE_GOLDEN=write the file is written first."""
    path, made = FILES / name, text.rstrip("\n") + "\n"
    if os.environ.get(SWITCH) == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made, encoding="utf-8")
    committed = path.read_text(encoding="utf-8") if path.exists() else ""
    assert made == committed, difference(name, committed, made)


def check_document(name: str, document: object) -> None:
    """The same for a document in JSON's own types, one value a line and keys in order."""
    check(name, json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False))


def difference(name: str, committed: str, made: str) -> str:
    """What differs, and how to accept it."""
    names = (f"files/{name} as committed", f"files/{name} as made now")
    lines = list(difflib.unified_diff(committed.splitlines(), made.splitlines(), *names, lineterm="", n=2))
    more = [f"… and {len(lines) - DIFF_LINES_MAX} lines more"] * (len(lines) > DIFF_LINES_MAX)
    accept = f"If this change is meant, write the file anew: {SWITCH}=write python -m pytest tests/golden"
    return "\n".join(["", *lines[:DIFF_LINES_MAX], *more, accept])
