"""What a revision freezes: everything the voters judge, as one document whose digest the decision is bound to."""

from datetime import datetime
from typing import Any

from benchmarking.runs.queries import runs
from reviews.evidence.queries.evidence import contradictions_of, determine, figures_of, waived_of
from reviews.requests.models import ReviewRequest
from weighbridge.core.converter import to_document


def bundle_of(request: ReviewRequest, *, now: datetime) -> dict[str, Any]:
    """The evidence of the current revision in JSON's own types; equal evidence gives an equal document."""
    version = request.model_version
    rivals = sorted(request.rivals.values_list("digest", flat=True))
    projections = [
        {"number": row.number, "option": row.option, "digest": row.projection.digest}
        for row in request.projections.select_related("projection").order_by("number")
    ]
    named = {"rivals": rivals, "projections": projections}
    return {name: said for name, said in named.items() if said} | {
        "request": request.ref,
        "revision": request.revision,
        "title": request.title,
        "purpose": request.purpose,
        "environment": request.environment,
        "business_case": request.business_case,
        "owner": request.owner.username,
        "artifact": {"name": str(version), "digest": version.digest},
        "dataset": request.dataset.digest if request.dataset else None,
        "policy": request.policy.digest if request.policy else None,
        "checklist": request.checklist.digest if request.checklist else None,
        "figures": to_document(figures_of(request)),
        "runs": [
            {"id": run.pk, "state": run.state, "verdict": run.verdict, "result": run.result_digest}
            for run in runs.of_request(request.ref)
        ],
        "answers": [
            {
                "item": row.item,
                "text": row.text,
                "file": row.file_digest,
                "is_attested": row.is_attested,
                "by": row.answered_by_id,
            }
            for row in request.checklist_answers.order_by("item")
        ],
        "contradictions": [
            {"name": each.contradiction.name, "answer": each.answer} for each in contradictions_of(request, now=now)
        ],
        "waivers": sorted(waived_of(request, now=now)),
        "determination": to_document(determine(request, now=now)),
    }
