"""The table of a result that a device reported."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from weighbridge.cli.tables.metric_titles import metric_title
from weighbridge.cli.tables.terminal import note_lines, number, result_parts, table_of

if TYPE_CHECKING:
    from rich.table import Table

BESIDE = ("latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "load_time_ms", "first_inference_ms")


def device_parts(result: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield the device, the metrics, the agreement of the answers, the times here beside them, and the notes."""
    machine = result["manifest"]["machine"]
    yield f"{machine['browser']} on {machine['os']}, {machine['cpus_usable']} processors"
    yield from result_parts(result)
    yield agreement_line(result["agreement"])
    if result["here"] is not None:
        yield _beside(result["metrics"], result["here"])
    yield from note_lines(result)


def agreement_line(agreement: Mapping[str, Any]) -> str:
    """Say whether the answers agree, and by how much they differ."""
    verb = "agree" if agreement["is_within"] else "DISAGREE"
    absolute, share = (number(agreement[f"max_{kind}_difference"]) for kind in ("absolute", "relative"))
    top, rows = agreement["top_1"], agreement["rows"]
    return (
        f"answers {verb} with ONNX Runtime here: {agreement['queries']} queries, largest difference {absolute} "
        f"({share} of the largest value), tolerance {agreement['tolerance']:g}"
        f"{'' if top is None else f', same best class in {top:.0%} of {rows} rows'}"
    )


def _beside(metrics: Mapping[str, Any], here: Mapping[str, Any]) -> "Table":
    engine = here["manifest"]["engine"]["engine"]
    rows = []
    for name in BESIDE:
        device, own = (each.get(name, {}).get("value") for each in (metrics, here["metrics"]))
        ratio = device / own if device is not None and own else None
        rows.append([metric_title(name), number(device), number(own), number(ratio)])
    headings = ("metric", "device", "here", "device / here")
    return table_of(f"The device beside {engine} on this machine ({here['verdict']['status']})", headings, rows)
