"""The changes between two revisions, so that reviewers only need to read what is new."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from governance.rulebook.domain.policy_diff import PolicyDifference
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
    for part, read in _PARTS.items():
        old, new = read(before), read(after)
        for name in [*old, *(name for name in new if name not in old)]:
            yield from _difference(f"{part}[{name}]", name, old.get(name), new.get(name))
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
        f"{row['name']}, {row['basis']}": f"{number_text(Decimal(row['value']))} {row['unit']}"
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


_PARTS = {
    "metric_values": _metric_values,
    "answers": _answers,
    "runs": _runs,
    "studies": _studies,
    "contradictions": _explained,
    "waivers": _waived,
}
