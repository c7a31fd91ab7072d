"""Tables of scored answers of language models: rates, slices, repeats, judge, comparison; and of planning."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from weighbridge.cli.tables.terminal import metrics_table, missing_lines, number, table_of, verdict_lines

if TYPE_CHECKING:
    from rich.table import Table

ANSWERS = {"better": "better", "worse": "worse", "equivalent": "equivalent", "cannot_tell": "cannot tell"}
CALIBRATIONS = {
    "calibrated": "calibrated",
    "few_labels": "few labels",
    "no_labels": "not calibrated",
    "judge_changed": "calibration void, the labels are of another judge",
}


def answers_parts(document: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield the rates, outcomes, slices, repeats, the judge, the comparison, and the verdict."""
    clusters = f" in {document['clusters']:,} clusters" if document["clusters"] else ""
    title = f"{document['answers_scored']:,} answers to {document['rows']:,} prompts{clusters}"
    yield metrics_table(title, document["metrics"])
    counts = (f"{name} {count:,}" for name, count in document["outcomes"].items() if count)
    yield f"outcomes: {', '.join(counts)}"
    yield from missing_lines(document["missing"])
    yield from _slice_parts(document)
    yield from _repeat_lines(document["repeats"])
    yield from _judge_lines(document["judge"])
    yield from _comparison_lines(document["comparison"])
    yield from verdict_lines(document)


def prompts_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield how many prompts a comparison needs."""
    plan = document["plan"]
    yield (
        f"a difference of {plan['difference']:g} in the pass rate, found with probability {plan['power']:g} at "
        f"{plan['confidence']:.0%}, needs"
    )
    yield f"  {document['paired']:,} prompts that both models answer, if they disagree on {plan['disagreement']:.0%}"
    yield f"  {document['unpaired_each']:,} prompts each, if the models answer different prompts"
    if document["design_effect"] > 1:
        yield f"design effect of clusters, included: {document['design_effect']:g}"


def _slice_parts(document: Mapping[str, Any]) -> "Iterator[Table | str]":
    slices, correction = document["slices"], document["correction"]
    if not slices:
        return
    title = f"Pass rate by slice: {correction['method']}, each at {correction['confidence']:.4%}"
    rows = [
        [each["name"], f"{each['prompts']:,}", *map(number, _bounds(each["metrics"]["pass_rate"]))]
        for each in slices
        if not each["too_few"]
    ]
    yield table_of(title, ("slice", "prompts", "value", "lower", "upper"), rows, text_columns=("slice",))
    yield from (f"{each['name']}: too few prompts ({each['prompts']:,})" for each in slices if each["too_few"])


def _repeat_lines(repeats: Mapping[str, Any] | None) -> Iterator[str]:
    if repeats is None:
        return
    for k, metric in repeats["pass_at"].items():
        if metric is not None:
            yield f"pass@{k}: {_words(metric)}, {repeats['prompts']:,} prompts with several answers"
    if repeats["different"] is not None:
        yield f"prompts whose answers differ between attempts: {_words(repeats['different'])}"


def _judge_lines(judge: Mapping[str, Any] | None) -> Iterator[str]:
    if judge is None:
        return
    state = CALIBRATIONS[judge["calibration"]]
    yield f"judge ({state}): {judge['verdicts']:,} verdicts, {judge['labels']:,} labels of people"
    texts = {
        "uncorrected": "pass rate as the judge says, uncorrected",
        "corrected": "pass rate corrected by labels",
        "people": "pass rate as people say",
        "agreement": "agreement with people",
        "sensitivity": "sensitivity",
        "specificity": "specificity",
    }
    yield from (f"  {text}: {_words(judge[key])}" for key, text in texts.items() if judge[key] is not None)


def _comparison_lines(comparison: Mapping[str, Any] | None) -> Iterator[str]:
    if comparison is None:
        return
    for name, text in (("scorers", "difference from the baseline"), ("judge", "difference by the judge, corrected")):
        entry = comparison[name]
        if entry is None:
            continue
        shown = _words(entry["difference"]) if entry["difference"] is not None else "not known"
        margin = f", margin {entry['margin']:g}" if entry["margin"] is not None else ""
        yield f"{text}: {shown}{margin}: {ANSWERS[entry['answer']]}"
        if stopping := entry.get("stopping"):
            yield f"  {_stop_words(stopping)}"


def _stop_words(stopping: Mapping[str, Any]) -> str:
    if stopping["interval"] is None:
        return f"go on: there is no look before {stopping['looks_from']} prompts or clusters"
    shown = _words(stopping["interval"])
    if not stopping["stop"]:
        return f"go on: for any number of looks it is {shown}, which does not decide"
    return f"stop: for any number of looks it is {shown}; more prompts will not change the answer"


def _words(metric: Mapping[str, Any]) -> str:
    value, lower, upper = map(number, _bounds(metric))
    return f"{value} ({lower} to {upper})"


def _bounds(metric: Mapping[str, Any]) -> list[float]:
    return [metric[key] for key in ("value", "lower", "upper")]
