"""The attested results that were drawn to be measured again, and that no run has measured again yet."""

from collections.abc import Iterable

from benchmarking.runs.models import Run
from benchmarking.runs.queries import runs
from governance.inventory.models import ModelAsset
from governance.jobs.enums import JobState
from reviews.evidence.models import AttestedStatement
from reviews.requests.models import ReviewRequest


def open_audits(request: ReviewRequest, *, finished: Iterable[Run]) -> tuple[AttestedStatement, ...]:
    """The drawn results of a request without a finished run since, oldest first.

    Results about a subject that no worker can run are not among them.
    """
    done = [run for run in finished if run.state == JobState.DONE]
    drawn = AttestedStatement.objects.filter(request=request, audit_run__isnull=False).select_related("audit_run")
    return tuple(row for row in drawn.order_by("pk") if not any(run.created_at >= row.received_at for run in done))


def is_audit_owed(asset: ModelAsset) -> bool:
    """Whether the latest drawn result about the model was never measured again.

    Its run was canceled or failed, or its request ended before: whoever is drawn cannot draw again by filing again.
    """
    drawn = AttestedStatement.objects.filter(request__model_version__asset=asset, audit_run__isnull=False)
    latest = drawn.select_related("request").order_by("-pk").first()
    if latest is None:
        return False
    return latest in open_audits(latest.request, finished=runs.of_request(latest.request.ref))
