"""Changes of inputs, prices and metrics between two projections, for example at today's prices."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from weighbridge.core.errors import Invalid

SCHEMA = "weighbridge.projection-change/1"
PROJECTION = "weighbridge.projection/1"
LEVELS = ("middle", "p10", "p50", "p80", "p90")


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes from one projection document to another; raise Invalid for other documents.

    Options are matched by ID. A ratio is after/before, or None if an amount is missing.
    """
    for name, document in (("before", before), ("after", after)):
        if document.get("schema") != PROJECTION:
            raise Invalid(f"The document {name} must be {PROJECTION}, not {document.get('schema')!r}.", field=name)
    old, new = _by_id(before), _by_id(after)
    both = [name for name in old if name in new]
    return {
        "schema": SCHEMA,
        "before": before["digest"],
        "after": after["digest"],
        "added": [name for name in new if name not in old],
        "removed": [name for name in old if name not in new],
        "inputs": [
            *_moved("", before["shared"], after["shared"]),
            *(row for name in both for row in _moved(f"{name}: ", old[name]["inputs"], new[name]["inputs"])),
        ],
        "prices": _prices(before, after),
        "metrics": {name: _metrics(old[name]["metrics"], new[name]["metrics"]) for name in both},
    }


def sentences(found: Mapping[str, Any], metric: str = "total_cost_1y_usd") -> list[str]:
    """Return the changes as sentences: first the metric of each option, then the causes."""
    lines = []
    for option, metrics in found["metrics"].items():
        row = metrics[metric]["p50"]
        if row["before"] != row["after"]:
            lines.append(
                f"{option}: {metric} (P50) {_shown(row['before'])} -> {_shown(row['after'])}{_percent(row['ratio'])}"
            )
    lines += [f"option added: {name}" for name in found["added"]] + [
        f"option removed: {name}" for name in found["removed"]
    ]
    lines += [f"{row['input']}: {row['before']} -> {row['after']}" for row in found["inputs"]]
    lines += [
        f"price of {row['item']}: {row['before']} ({row['before_as_of']}) -> {row['after']} ({row['after_as_of']})"
        f"{_percent(row['ratio'])}"
        for row in found["prices"]
    ]
    return lines or ["Nothing moved."]


def _by_id(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {option["id"]: option for option in document["options"]}


def _moved(prefix: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = [*before, *(name for name in after if name not in before)]
    return [
        {"input": f"{prefix}{name}", "before": before.get(name), "after": after.get(name)}
        for name in names
        if before.get(name) != after.get(name)
    ]


def _prices(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the changed prices. Prices are matched by SKU and term, or by path."""
    old, new = ({item_of(price): price for price in document["prices"]} for document in (before, after))
    return [
        {
            "item": item,
            "before": old[item]["usd"],
            "after": new[item]["usd"],
            "unit": new[item]["unit"],
            "before_as_of": old[item]["as_of"],
            "after_as_of": new[item]["as_of"],
            "ratio": _ratio(old[item]["usd"], new[item]["usd"]),
        }
        for item in old
        if item in new and old[item]["usd"] != new[item]["usd"]
    ]


def item_of(price: Mapping[str, Any]) -> str:
    """Return what a pinned price is for: its SKU with term, meter and tier, or its path in the spec."""
    names = (price["sku"], price["term"], price["meter"]) if "sku" in price else (price["path"],)
    # The tiers of a model go by the input tokens of a request, those of traffic by its own unit.
    tier = (f"above {price['above']} {'gb' if price['unit'] == 'gb' else 'input tokens'}",) if "above" in price else ()
    return " ".join(name for name in (*names, *tier) if name not in ("on_demand", "whole"))


def _metrics(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    both = {name: (before[name], after[name]) for name in before if name in after}
    return {
        name: {
            level: {"before": old[level], "after": new[level], "ratio": _ratio(old[level], new[level])}
            for level in LEVELS
        }
        for name, (old, new) in both.items()
    }


def _ratio(before: str | None, after: str | None) -> float | None:
    if before is None or after is None or Decimal(before) == 0:
        return None
    return round(float(Decimal(after) / Decimal(before)), 6)


def _shown(usd: str | None) -> str:
    return "no end" if usd is None else usd


def _percent(ratio: float | None) -> str:
    return "" if ratio is None else f" ({ratio - 1:+.1%})"
