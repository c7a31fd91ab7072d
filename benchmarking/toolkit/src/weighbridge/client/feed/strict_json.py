"""Strict reading of JSON objects that other machines send to a gate."""

from typing import Any

from weighbridge.core.parsing.json_text import parse_object
from weighbridge.core.parsing.limits import DocumentLimits

DEPTH_MAX = 20


def read_object(content: bytes, *, bytes_max: int, name: str) -> dict[str, Any]:
    """Return the JSON object; raise Invalid or TooLarge, which name the source `name`, for anything else."""
    limits = DocumentLimits(bytes_max=bytes_max, depth_max=DEPTH_MAX)
    return parse_object(content, name=name, code="not_json", limits=limits)
