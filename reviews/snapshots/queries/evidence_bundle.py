"""The evidence bundle of a revision: everything the voters decide on, as one document with a digest."""

from typing import Any

from governance.rulebook.domain.policy_diff import PolicyDifference
from reviews.evidence.queries.evidence import severities
from reviews.snapshots.queries.snapshot import RequestSnapshot, snapshot_of
from reviews.voting.queries.revision_changes import changes_between
from weighbridge.core.canonical import digest_of
from weighbridge.core.converter import to_document
from weighbridge.core.errors import WrongState


def changes_of(snapshot: RequestSnapshot) -> tuple[PolicyDifference, ...]:
    """What is new since the last frozen revision before this one, or since the request that this one replaces.

    Empty for a draft, and for the first revision of a request that replaces none.
    """
    request, frozen = snapshot.request, snapshot.frozen
    before = next((row.bundle for row in snapshot.revisions if row.number < request.revision), None)
    if before is None and request.replaces is not None:
        before = bundle_of(snapshot_of(request.replaces, now=snapshot.now))
    if before is None or request.policy is None:
        return ()
    return changes_between(before=before, after=frozen.bundle if frozen else bundle_of(snapshot))


def bundle_of(snapshot: RequestSnapshot) -> dict[str, Any]:
    """The evidence of the current revision as JSON types. Equal evidence gives an equal document."""
    request, evidence = snapshot.request, snapshot.evidence
    version = request.model_version
    optional = {
        "rivals": sorted(rival.digest for rival in snapshot.rivals),
        "projections": [
            {"number": row.number, "option": row.option, "digest": row.projection.digest}
            for row in reversed(evidence.projections)
        ],
        "studies": [
            {"kind": row.kind, "file": row.file_digest, "name": row.file_name, "verdict": row.verdict}
            for row in evidence.studies
        ],
        "items_not_applicable": dict(sorted(evidence.waived_items.items())),
        "inherited": [
            {"item": row.item.id, "text": row.inherited.text, "from": row.inherited.inherited_from}
            for row in evidence.checklist
            if row.inherited is not None
        ],
        "denials": [{"name": row.name, "standing": row.standing.value} for row in snapshot.denials],
    }
    return {name: value for name, value in optional.items() if value} | {
        "request": request.ref,
        **{name: getattr(request, name) for name in ("revision", "title", "purpose", "environment", "business_case")},
        "owner": request.owner.username,
        "artifact": {"name": str(version), "digest": version.digest},
        "dataset": request.dataset.digest if request.dataset else None,
        "policy": request.policy.digest if request.policy else None,
        "checklist": request.checklist.digest if request.checklist else None,
        "stages": [stage.id for stage in evidence.stages],
        "metric_values": to_document(evidence.metric_values),
        "runs": [
            {"id": run.pk, "state": run.state, "verdict": run.verdict, "result": run.result_digest}
            for run in evidence.runs
        ],
        "answers": [
            {
                "item": row.item,
                "text": row.text,
                "file": row.file_digest,
                "is_attested": row.is_attested,
                "by": row.answered_by_id,
            }
            for row in evidence.answers
        ],
        "contradictions": [{"name": row.contradiction.name, "answer": row.answer} for row in evidence.contradictions],
        "waivers": sorted(evidence.waived),
        "policy_evaluation": to_document(evidence.policy_evaluation),
    }


def check_unchanged(snapshot: RequestSnapshot) -> None:
    """Raise WrongState if policy or evidence speak differently than when the revision was frozen."""
    frozen = snapshot.revisions[0]
    before = severities(frozen.bundle["policy_evaluation"])
    results = snapshot.evidence.policy_evaluation.standing()
    worse = [result for result in results if result.severity > before.get(result.rule_id, (0, False))]
    if worse:
        why = " ".join(result.reason for result in worse)
        raise WrongState(f"The policy is stricter now than when the revision was frozen. {why}", code="worse")
    if digest_of(bundle_of(snapshot)) != frozen.digest:
        raise WrongState(
            "The evidence changed since the revision was frozen; request changes, so that a new revision is frozen.",
            code="changed",
        )
