"""The policies and checklists that a new installation starts with, as YAML documents ready to publish."""

from importlib.resources import files

POLICY, CHECKLIST = "policies/default.yaml", "checklists/standard.yaml"
"""The policy for whatever has none of its own, and its checklist."""


def text_of(name: str) -> str:
    """The YAML text of a shipped document, such as `POLICY`; the caller parses it."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def names_of(folder: str) -> tuple[str, ...]:
    """The names of the shipped documents in "policies" or "checklists", for `text_of`."""
    found = (entry.name for entry in files(__name__).joinpath(folder).iterdir() if entry.name.endswith(".yaml"))
    return tuple(f"{folder}/{name}" for name in sorted(found))
