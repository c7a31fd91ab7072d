"""The comment on a pull request: what was filed, and the standing of the artifact, in Markdown."""

from collections.abc import Mapping
from typing import Any

from weighbridge.client.drafts.filing import Drafted
from weighbridge.client.feed.verdicts import plain_text

MARK = "<!-- weighbridge -->"
"""Marks the comment, so that a person sees which program wrote it."""
_SPECIAL = "\\`*_{}[]<>()#+-.!|~@&"
REASONS_MAX = 5


def comment_of(drafted: Drafted, gate: Mapping[str, Any]) -> str:
    """Return the comment. Words of the server are escaped: they cannot become links, mentions or HTML."""
    reasons = gate.get("reasons")
    listed = [str(reason) for reason in reasons[:REASONS_MAX]] if isinstance(reasons, list) else []
    allowed = "may run" if gate.get("answer") == "allow" else "may not run"
    state, standing = (text.replace("_", " ") for text in (drafted.state, str(gate.get("standing", "unknown"))))
    request = f"the request [{escaped(drafted.ref)}]({_address(drafted.url)}) was {escaped(drafted.done)}"
    artifact = f"The artifact `{drafted.digest}` {allowed} in {escaped(drafted.environment)}"
    lines = [
        MARK,
        f"**Weighbridge**: {request}. It is {escaped(state)}.",
        "",
        f"{artifact}. Its standing is {escaped(standing)}.",
        *(f"- {escaped(reason)}" for reason in listed),
    ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Return text as Markdown that shows the same text."""
    return "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in plain_text(text))


def _address(url: str) -> str:
    """Return the address if it can stand in a link."""
    return url if url.startswith(("https://", "http://")) and not set(url) & set(" ()<>\"'\n") else ""
