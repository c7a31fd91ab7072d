"""Filter `model_list` of a LiteLLM configuration: only entries stay that the gate allows and that call what it allows.

An entry names its subject or its digest in `model_info`, as `entries` describes. One that names neither goes, and so
does one with a wildcard, which stands for models that nobody named.
"""

from collections.abc import Callable
from typing import Any

from weighbridge.client.feed.verdicts import GateReply, plain_text
from weighbridge.client.integrations.litellm.entries import Hosts, read_entry
from weighbridge.core.errors import Invalid


def allowed_config(
    config: object, *, ask: Callable[[str], GateReply], hosts: Hosts
) -> tuple[dict[str, Any], list[str], list[GateReply]]:
    """Return the configuration with the allowed entries, why the others went, and the answers of the gate.

    Raises Invalid for what is not a LiteLLM configuration.
    """
    rows = config.get("model_list") if isinstance(config, dict) else None
    if not isinstance(config, dict) or not isinstance(rows, list):
        raise Invalid("The configuration of LiteLLM must be a mapping with a list `model_list`.", field="model_list")
    kept, reasons, replies = [], [], []
    for place, row in enumerate(rows):
        entry = read_entry(row, place=place, hosts=hosts)
        if entry.why_not:
            reasons.append(f"{entry.name}: {entry.why_not}")
            continue
        reply = ask(entry.digest)
        replies.append(reply)
        if reply.is_allowed:
            kept.append(row)
        else:
            reasons.append(f"{entry.name}: {reply.answer}: {' '.join(reply.reasons)}")
    return {**config, "model_list": kept}, [plain_text(reason) for reason in reasons], replies
