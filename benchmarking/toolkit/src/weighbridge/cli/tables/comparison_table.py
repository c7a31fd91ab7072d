"""Tables of a comparison of models, and of a rerun."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from weighbridge.cli.tables.terminal import number, table_of, verdict_lines

if TYPE_CHECKING:
    from rich.table import Table

ANSWERS = {"unknown": "cannot tell", "cannot_tell": "cannot tell"}


def comparison_parts(document: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield median, speed-up and paired quality drops with bounds of each model, the ranks and the verdict."""
    headings = ("model", "MB", "median ms", "speed-up", "speed")
    rows = map(_model_row, document["candidates"])
    yield table_of(f"compared with {document['baseline']}", headings, rows, text_columns=("model", "speed"))
    for candidate in document["candidates"]:
        failures = ", ".join(f"{kind} {count}" for kind, count in candidate["failures"].items())
        if failures:
            yield f"{candidate['name']}: queries failed ({failures})"
        if candidate["not_scored"]:
            yield f"{candidate['name']}: not scored: {candidate['not_scored']}"
        for drop in candidate["quality_drops"]:
            answer = "within" if drop["is_non_inferior"] else "not shown to be within"
            yield f"{candidate['name']}: {drop['metric']} worse by {between(drop)}, {answer} {drop['margin']:g}"
    floor = document["noise_floor"]
    if floor is not None:
        yield f"noise floor: {floor:.1%}, the difference of the baseline from itself"
    yield "fastest first: " + ", then ".join(" = ".join(rank) for rank in document["ranks"])
    yield from verdict_lines({"verdict": document["verdict"]})


def _model_row(candidate: Mapping[str, Any]) -> list[str]:
    metrics = candidate["metrics"]
    speeds = (between(metrics.get("latency_p50_ms")), between(candidate["speed_up"]))
    return [candidate["name"], number(metrics["model_size_mb"]["value"]), *speeds, _answer(candidate)]


def rerun_parts(document: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield each metric of both runs, whether they are equivalent, the conditions that differ, and the answer."""
    headings = ("metric", "then", "now", "ratio", "answer")
    rows = (
        (
            each["metric"],
            number(each["then"]),
            number(each["now"]),
            between(each, key="ratio"),
            _answer(each),
        )
        for each in document["metrics"]
    )
    yield table_of(f"rerun, margin {document['margin']:.0%}", headings, rows, text_columns=("metric", "answer"))
    for each in document["differences"]:
        yield f"differs: {each['condition']} was {each['then']}, is {each['now']}"
    yield from (f"  {text}" for text in document["reasons"])
    yield f"answer: {_answer(document)}"


def between(metric: Mapping[str, Any] | None, *, key: str = "value") -> str:
    """Format a metric with its bounds; None gives an empty string."""
    if metric is None:
        return ""
    return f"{number(metric[key])} [{number(metric['lower'])}, {number(metric['upper'])}]"


def _answer(document: Mapping[str, Any]) -> str:
    return ANSWERS.get(document["answer"], str(document["answer"]))
