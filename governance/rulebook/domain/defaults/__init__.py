"""The policy and the checklist a new installation starts with, as YAML documents ready to publish."""

from importlib.resources import files

POLICY = "policy.yaml"
CHECKLIST = "checklist.yaml"


def text_of(name: str) -> str:
    """The YAML text of `POLICY` or `CHECKLIST`; the caller parses it."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
