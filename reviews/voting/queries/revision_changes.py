"""The changes between two revisions, so that reviewers only need to read what is new."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from governance.rulebook.domain.policy_diff import PolicyDifference
from weighbridge.core.metrics.standard import metric_words
from weighbridge.core.metrics.units import with_commas, with_unit
from weighbridge.core.metrics.values import number_text

LABELS = {
    "title": "Title",
    "purpose": "Purpose",
    "environment": "Environment",
    "business_case": "Business case",
    "owner": "Owner",
    "dataset": "Evaluation data",
    "policy": "Policy",
    "checklist": "Checklist",
}


def changes_between(*, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[PolicyDifference, ...]:
    """The changes from one evidence bundle to another."""
    return tuple(_changes(before, after))


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[PolicyDifference]:
    for path, label in LABELS.items():
        yield from _difference(path, label, before.get(path), after.get(path))
    yield from _difference("artifact", "Artifact", before["artifact"]["digest"], after["artifact"]["digest"])
    for part, (read, words) in _PARTS.items():
        old, new = read(before), read(after)
        for name in [*old, *(name for name in new if name not in old)]:
            yield from _difference(f"{part}[{name}]", words(name), old.get(name), new.get(name))
    yield from _difference(
        "policy_evaluation",
        "Policy outcome",
        before["policy_evaluation"]["outcome"],
        after["policy_evaluation"]["outcome"],
    )


def _difference(path: str, label: str, before: str | None, after: str | None) -> Iterator[PolicyDifference]:
    if before != after:
        yield PolicyDifference(path, before, after, label)


def _metric_values(bundle: Mapping[str, Any]) -> dict[str, str]:
    """The latest value of each metric and basis."""
    return {
        f"{row['name']}, {row['basis']}": with_unit(with_commas(number_text(Decimal(row["value"]))), row["unit"])
        for row in bundle["metric_values"]
    }


def _answers(bundle: Mapping[str, Any]) -> dict[str, str]:
    return {row["item"]: row["text"] or row["file"] or "attested" for row in bundle["answers"]}


def _runs(bundle: Mapping[str, Any]) -> dict[str, str]:
    return {f"run {row['id']}": row["verdict"] or row["state"] for row in bundle["runs"]}


def _explained(bundle: Mapping[str, Any]) -> dict[str, str]:
    return {row["name"]: row["answer"] for row in bundle["contradictions"]}


def _studies(bundle: Mapping[str, Any]) -> dict[str, str]:
    return {f"{row['kind']}, {row['name']}": row["verdict"] for row in bundle.get("studies", ())}


def _waived(bundle: Mapping[str, Any]) -> dict[str, str]:
    return dict.fromkeys(bundle.get("waivers", ()), "waived")


def _words(name: str) -> str:
    """The name of a part as words; of a metric with its basis, both."""
    metric, comma, basis = name.partition(", ")
    return f"{metric_words(metric.replace('-', '_'))}{comma}{basis}"


_PARTS: dict[str, tuple[Callable[[Mapping[str, Any]], dict[str, str]], Callable[[str], str]]] = {
    "metric_values": (_metric_values, _words),
    "answers": (_answers, _words),
    "runs": (_runs, str.capitalize),
    "studies": (_studies, _words),
    "contradictions": (_explained, _words),
    "waivers": (_waived, _words),
}
