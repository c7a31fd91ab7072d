"""What a person sees at the terminal of a comparison and of a run repeated."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from weighbridge.cli.tables.terminal import number, table_of, verdict_lines

if TYPE_CHECKING:
    from rich.table import Table

ANSWERS = {
    "baseline": "baseline",
    "faster": "faster",
    "slower": "slower",
    "tied": "tied",
    "unknown": "cannot tell",
    "equivalent": "equivalent",
    "different": "different",
    "cannot_tell": "cannot tell",
}


def comparison_parts(document: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield each model's median, speed-up and paired drops with their bounds, the ranks, and the verdict with its
    reasons.
    """
    headings = ("model", "MB", "median ms", "speed-up", "speed")
    rows = map(_model_row, document["candidates"])
    yield table_of(f"compared with {document['baseline']}", headings, rows, words=("model", "speed"))
    for found in document["candidates"]:
        for drop in found["quality_drops"]:
            word = "within" if drop["is_non_inferior"] else "not shown to be within"
            yield f"{found['name']}: {drop['metric']} worse by {between(drop)}, {word} {drop['margin']:g}"
    floor = document["noise_floor"]
    if floor is not None:
        yield f"noise floor: {floor:.1%}, what the baseline differs from itself"
    yield "quickest first: " + ", then ".join(" = ".join(rank) for rank in document["ranks"])
    yield from verdict_lines({"verdict": document["verdict"]})


def _model_row(found: Mapping[str, Any]) -> list[str]:
    held = found["metrics"]
    speeds = (between(held.get("latency_p50_ms")), between(found["speed_up"]))
    return [found["name"], number(held["model_size_mb"]["value"]), *speeds, ANSWERS[found["answer"]]]


def rerun_parts(document: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield each metric then and now, whether they are equivalent, what else differs, and the answer."""
    headings = ("metric", "then", "now", "ratio", "answer")
    rows = (
        (
            each["metric"],
            number(each["then"]),
            number(each["now"]),
            between(each, key="ratio"),
            ANSWERS[each["answer"]],
        )
        for each in document["metrics"]
    )
    yield table_of(f"repeated, within {document['margin']:.0%}", headings, rows, words=("metric", "answer"))
    for each in document["differences"]:
        yield f"differs: {each['condition']} was {each['then']}, is {each['now']}"
    yield from (f"  {text}" for text in document["reasons"])
    yield f"answer: {ANSWERS[document['answer']]}"


def between(metric: Mapping[str, Any] | None, *, key: str = "value") -> str:
    """Write a metric and its bounds; nothing for none."""
    if metric is None:
        return ""
    return f"{number(metric[key])} [{number(metric['lower'])}, {number(metric['upper'])}]"
