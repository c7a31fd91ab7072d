"""The document `weighbridge.sizing/1`, and what a terminal shows of it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from weighbridge.cli.tables.terminal import note_lines, number, table_of, verdict_lines
from weighbridge.load.capacity.goodput import CONFIDENCE, point_document
from weighbridge.load.capacity.replica_sizing import ReplicaSizing
from weighbridge.load.capacity.runs_files import RunsFiles

if TYPE_CHECKING:
    from rich.table import Table

SCHEMA = "weighbridge.sizing/1"
BAR = 30
NO_QUEUE = (
    "The replicas follow from measured goodput, not from a queue (Erlang C): a server that adds requests to a running "
    "batch slows down as the batch grows, which a queue with a fixed service time does not show."
)


def as_document(sizing: ReplicaSizing, source: RunsFiles, *, now: datetime) -> dict[str, Any]:
    """Return the sizing with its curve, its runs and the files that they come from."""
    curve, demand, rate = sizing.curve, sizing.demand, sizing.curve.highest_rate
    return {
        "schema": SCHEMA,
        "sized_at": now.isoformat(),
        "basis": sizing.basis.value,
        "demand": {
            "peak_per_s": demand.peak_per_s,
            "good_share": curve.target,
            "balance": demand.balance,
            "spare": demand.spare,
            "mean_tokens": dict(demand.mean_tokens),
        },
        "replicas": {
            "value": sizing.replicas,
            "lower": sizing.fewest,
            "upper": sizing.replicas,
            "confidence": CONFIDENCE,
            "p10": sizing.p10,
            "p50": sizing.p50,
            "p90": sizing.p90,
        },
        "highest_rate_per_s": {
            "value": rate.value,
            "lower": rate.lower,
            "upper": rate.upper,
            "confidence": rate.confidence,
            "n": rate.n,
            "unit": "1/s",
        },
        "highest_goodput": point_document(curve.highest_goodput),
        "verdict": sizing.verdict.as_document(),
        "curve": [point_document(point) for point in curve.points],
        "spread": {"requests": curve.spread.requests, "runs": curve.spread.runs},
        "runs": [
            {"rate_per_s": run.rate_per_s, "good_share": run.share, "n": run.n, "seed": run.seed}
            for group in curve.groups
            for run in group.runs
        ],
        "limits": dict(source.limits),
        "workload": source.workload,
        "mean_tokens": dict(source.mean_tokens),
        "sources": [dict(each) for each in source.sources],
        "notes": [{"code": "queue.unfit", "message": NO_QUEUE}],
    }


def sizing_parts(document: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield the curve as a table with bars, the highest rate, the replicas with their interval, and the verdict."""
    demand, replicas, rate = (document[key] for key in ("demand", "replicas", "highest_rate_per_s"))
    headings = ("rate /s", "seeds", "requests", "good", "lower", "upper", "goodput /s", "goodput")
    highest = document["highest_goodput"]["goodput_per_s"]["value"]
    rows = [_row(point, highest) for point in document["curve"]]
    yield table_of("Goodput of one replica, 90 % intervals", headings, rows, text_columns=("goodput",))
    values = [number(rate[key]) for key in ("value", "lower", "upper")]
    yield (
        f"highest rate of a replica with {demand['good_share']:.0%} good: {values[0]} per second "
        f"({values[1]} to {values[2]}, {rate['confidence']:.0%})"
    )
    yield from _replica_lines(demand, replicas, document["basis"])
    yield from verdict_lines(document)
    yield from note_lines(document)


def _replica_lines(demand: Mapping[str, Any], replicas: Mapping[str, Any], basis: str) -> Iterator[str]:
    peak = f"{number(demand['peak_per_s'])} requests per second"
    if replicas["value"] is None:
        yield f"replicas for {peak}: no number is shown to be enough"
        return
    draws = ", ".join(
        f"{name.upper()} {replicas[name]:,}" for name in ("p10", "p50", "p90") if replicas[name] is not None
    )
    yield (
        f"replicas for {peak}: {replicas['value']:,}, {demand['spare']} of them spare ({basis}); balance "
        f"{demand['balance']:g}"
    )
    yield f"  between {replicas['lower']:,} and {replicas['upper']:,} ({replicas['confidence']:.0%}); {draws}"


def _row(point: Mapping[str, Any], highest: float) -> list[str]:
    share, goodput = point["good_share"], point["goodput_per_s"]["value"]
    bar = "█" * round(BAR * goodput / highest)
    shares = [f"{share[key]:.1%}" for key in ("value", "lower", "upper")]
    return [number(point["rate_per_s"]), str(point["seeds"]), f"{point['n']:,}", *shares, number(goodput), bar]
