"""Whether two results were measured on the same kind of graphics card."""

from collections.abc import Mapping
from typing import Any

UNKNOWN = "a card whose name is not recorded"
NO_CARD = "no card"


def card_difference(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> str:
    """Return why the times of two manifests are not comparable, empty if both used the same kind of card, or none.

    Cards are of one kind if CUDA gives them the same name, which contains the size of the memory or of the instance
    where there are several.
    """
    first, second = name_of_card(one), name_of_card(other)
    if first == second != UNKNOWN:
        return ""
    return f"One was measured on {first}, the other on {second}, and figures of different cards are not compared."


def name_of_card(manifest: Mapping[str, Any] | None) -> str:
    """Return the name of the card of a manifest, or `NO_CARD`."""
    gpu = (manifest or {}).get("gpu")
    return NO_CARD if gpu is None else str(gpu["card"].get("name") or UNKNOWN)
