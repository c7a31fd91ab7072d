"""All documented operations that write, from the committed schema, with parameters and bodies that could matter."""

from functools import cache
from typing import Any

import yaml
from hypothesis import strategies as st

from config import env

Operation = tuple[str, str]
LIES = ["0", "1", "10", "100", "900", "5000", "900000", "0.01", "-1000000"]
POOLS: dict[str, list[Any]] = {
    "team": ["search", "ads"],
    "environment": ["prod", "dev"],
    "basis": ["declared", "estimated", "measured", "billed"],
    "quarter": ["2026Q4", "2027Q1"],
    "unit": ["USD", "gpu_h"],
    "mode": ["off", "observe", "enforce"],
    "stage": ["technical", "gpu-budget"],
    "item": ["cheaper-alternatives", "owner-and-rollback", "rollback-rehearsed"],
    "name": ["training_gpu_hours", "training_cost_usd", "inference_cost_1y_usd", "total_cost_1y_usd", "default"],
    "metric": ["training_gpu_hours", "training_cost_usd", "inference_cost_1y_usd", "total_cost_1y_usd"],
    "rule": ["accuracy-floor-prod", "business-gain-prod", "cheaper-alternatives-prod"],
    "role": ["reviewer", "platform_lead", "finance", "admin"],
    "reason": ["Because it has to be done now."],
    "rationale": ["Because of the figures."],
    "number": [1, 2],
    "value": LIES,
    "amount": LIES,
}


@cache
def schema() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((env.ROOT / "docs" / "reference" / "openapi.yaml").read_text())
    return document


@cache
def operations() -> tuple[Operation, ...]:
    """Method and path of every documented operation that writes."""
    paths = schema()["paths"].items()
    return tuple((verb, path) for path, verbs in paths for verb in verbs if verb in {"post", "put", "patch", "delete"})


def body_of(operation: Operation) -> dict[str, Any]:
    """The schema of the body of an operation, resolved; empty if it takes none."""
    verb, path = operation
    content = schema()["paths"][path][verb].get("requestBody", {}).get("content", {})
    return _resolved(next(iter(content.values()), {}).get("schema", {}))


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        node = schema()["components"]["schemas"][node["$ref"].rpartition("/")[2]]
    return node


@st.composite
def values(draw: st.DrawFn, name: str, node: dict[str, Any], pools: dict[str, list[Any]]) -> Any:
    """A value for a field of a body: from the pool of its name, else of its type."""
    node = _resolved(node)
    if name in pools:
        return draw(st.sampled_from(pools[name]))
    if node.get("enum"):
        return draw(st.sampled_from(node["enum"]))
    for part in ("allOf", "oneOf", "anyOf"):
        if part in node:
            return draw(values(name, node[part][0], pools))
    kind = node.get("type")
    if kind == "object":
        return draw(bodies(node, pools))
    if kind == "array":
        return draw(st.lists(values(name, node.get("items", {}), pools), max_size=2))
    if kind == "boolean":
        return draw(st.booleans())
    if kind in {"integer", "number"}:
        return draw(st.sampled_from([0, 1, 9, 1000]))
    if node.get("format") == "date":
        return "2027-03-01"
    return draw(st.sampled_from(["Because it has to be done now.", *LIES]))


@st.composite
def bodies(draw: st.DrawFn, node: dict[str, Any], pools: dict[str, list[Any]]) -> dict[str, Any]:
    """A body: all required fields, and some others."""
    fields, required = _resolved(node).get("properties", {}), _resolved(node).get("required", [])
    chosen = [name for name in fields if name in required or draw(st.booleans())]
    return {name: draw(values(name, fields[name], pools)) for name in chosen}
