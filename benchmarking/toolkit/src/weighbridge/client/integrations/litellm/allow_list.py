"""Filter `model_list` of a LiteLLM configuration: only deployments whose digest the gate allows stay.

A deployment names its artifact in `model_info.weighbridge_digest`. One without a digest goes, and so does one with a
wildcard, which stands for models that nobody named.
"""

from collections.abc import Callable, Mapping
from typing import Any

from weighbridge.client.feed.verdicts import GateReply, plain_text
from weighbridge.core.errors import Invalid

DIGEST = "weighbridge_digest"
ANYTHING = "*"


def allowed_config(
    config: object, *, ask: Callable[[str], GateReply]
) -> tuple[dict[str, Any], list[str], list[GateReply]]:
    """Return the configuration with the allowed deployments, why the others went, and the answers of the gate.

    Raises Invalid for what is not a LiteLLM configuration.
    """
    rows = config.get("model_list") if isinstance(config, dict) else None
    if not isinstance(config, dict) or not isinstance(rows, list):
        raise Invalid("The configuration of LiteLLM must be a mapping with a list `model_list`.", field="model_list")
    kept, reasons, replies = [], [], []
    for place, row in enumerate(rows):
        name, digest = _named(row)
        if not digest:
            reasons.append(f"{name or f'model_list[{place}]'}: it names no {DIGEST} in model_info, or has a wildcard.")
            continue
        reply = ask(digest)
        replies.append(reply)
        if reply.is_allowed:
            kept.append(row)
        else:
            reasons.append(f"{name}: {reply.answer}: {' '.join(reply.reasons)}")
    return {**config, "model_list": kept}, [plain_text(reason) for reason in reasons], replies


def _named(row: object) -> tuple[str, str]:
    """The name and the digest of a deployment; no digest for one that cannot be judged."""
    match row:
        case {"model_name": str(name), "litellm_params": {"model": str(model)}, "model_info": Mapping() as information}:
            digest = information.get(DIGEST)
            is_one = ANYTHING not in name and ANYTHING not in model
            return name, digest if isinstance(digest, str) and is_one else ""
        case {"model_name": str(name)}:
            return name, ""
    return "", ""
