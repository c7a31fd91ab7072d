"""What changed between two frozen revisions, so that reviewers need not read the same evidence twice."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from governance.rulebook.domain.policy_diff import PolicyDifference
from reviews.voting.models import Revision
from weighbridge.core.metrics import number_words

WORDS = {
    "title": "Title",
    "purpose": "Purpose",
    "environment": "Environment",
    "business_case": "Business case",
    "owner": "Owner",
    "dataset": "Evaluation data",
    "policy": "Policy",
    "checklist": "Checklist",
}


def since_last_revision(revisions: Sequence[Revision]) -> tuple[PolicyDifference, ...]:
    """What the latest frozen revision changed against the one before it; nothing where there is only one."""
    return tuple(_changes(revisions[1].bundle, revisions[0].bundle)) if len(revisions) > 1 else ()


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[PolicyDifference]:
    for path, words in WORDS.items():
        yield from _differing(path, words, before.get(path), after.get(path))
    yield from _differing("artifact", "Artifact", before["artifact"]["digest"], after["artifact"]["digest"])
    for part, read in _PARTS.items():
        old, new = read(before), read(after)
        for name in [*old, *(name for name in new if name not in old)]:
            yield from _differing(f"{part}[{name}]", name, old.get(name), new.get(name))
    yield from _differing(
        "policy_evaluation",
        "The policy says",
        before["policy_evaluation"]["outcome"],
        after["policy_evaluation"]["outcome"],
    )


def _differing(path: str, words: str, before: str | None, after: str | None) -> Iterator[PolicyDifference]:
    if before != after:
        yield PolicyDifference(path, before, after, words)


def _metric_values(bundle: Mapping[str, Any]) -> dict[str, str]:
    """The last word on each metric and basis."""
    return {
        f"{each['name']}, {each['basis']}": f"{number_words(Decimal(each['value']))} {each['unit']}"
        for each in bundle["metric_values"]
    }


def _answers(bundle: Mapping[str, Any]) -> dict[str, str]:
    return {each["item"]: each["text"] or each["file"] or "attested" for each in bundle["answers"]}


def _runs(bundle: Mapping[str, Any]) -> dict[str, str]:
    return {f"run {each['id']}": each["verdict"] or each["state"] for each in bundle["runs"]}


def _explained(bundle: Mapping[str, Any]) -> dict[str, str]:
    return {each["name"]: each["answer"] for each in bundle["contradictions"]}


def _waived(bundle: Mapping[str, Any]) -> dict[str, str]:
    return dict.fromkeys(bundle.get("waivers", ()), "waived")


_PARTS = {
    "metric_values": _metric_values,
    "answers": _answers,
    "runs": _runs,
    "contradictions": _explained,
    "waivers": _waived,
}
