"""Requests, models, findings and events in large numbers around one request: half of them of another team."""

from governance.audit.models import AuditEvent
from governance.findings.models import Finding
from governance.inventory.models import ModelAsset, ModelVersion
from reviews.authorizations.models import Decision
from reviews.requests.models import ReviewRequest
from tests.factories.people import OTHER_TEAM
from tests.masses import analyze, multiply, search_entered_at_the_end

_TEAM = f"CASE WHEN n %% 2 = 0 THEN team_id ELSE (SELECT id FROM people_team WHERE slug = '{OTHER_TEAM}') END"
_DIGEST = "'sha256:' || encode(sha256((digest || n + {year}000000)::bytea), 'hex')"


def fill(request: ReviewRequest, *, count: int, year: int = 2015) -> None:
    """Add `count` requests and events, and a tenth as many models and findings; `year` is in their references."""
    with search_entered_at_the_end():
        _fill(request, count, year)
    analyze()


def renewed(request: ReviewRequest, *, count: int, state: str, version_id: str = "model_version_id") -> None:
    """Add `count` authorized requests about the same artifact, or about that of `version_id`, with authorizations in
    that state.
    """
    decision = request.decision
    authorization = decision.authorization
    with search_entered_at_the_end():
        multiply(
            request,
            count=count,
            ref="'MRR-2011-' || lpad(n::text, 6, '0')",
            purpose="'renewal ' || n",
            model_version_id=version_id,
            replaces_id="NULL",
        )
        requests = int(ReviewRequest.objects.latest("pk").pk) - count
        multiply(decision, count=count, request_id=f"{requests} + n")
        decisions = int(Decision.objects.latest("pk").pk) - count
        number = "'MRA-2011-' || lpad(n::text, 6, '0')"
        multiply(authorization, count=count, number=number, decision_id=f"{decisions} + n", state=state)


def _fill(request: ReviewRequest, count: int, year: int) -> None:
    version = request.model_version
    asset, few = version.asset, max(count // 10, 1)
    multiply(asset, count=few, slug=f"'mass-{year}-' || n", name="'Ranker ' || n", team_id=_TEAM)
    first = _first_id(asset, few)
    multiply(
        version,
        count=few,
        digest=_DIGEST.format(year=year),
        version=f"'mass {year} ' || n",
        asset_id=f"{first} + n - 1",
        contained="'{}'",
    )
    multiply(
        request,
        count=count,
        ref=f"'MRR-{year}-' || lpad(n::text, 6, '0')",
        title="'Request about ' || substr(md5(n::text), 1, 12)",
        purpose=f"'purpose {year} ' || n",
        team_id=_TEAM,
        model_version_id=f"{_first_id(version, few)} + n %% {few}",
        state="'withdrawn'",
        replaces_id="NULL",
        created_at="created_at + n * interval '1 minute'",
    )
    event = AuditEvent.objects.latest("position")
    multiply(
        event,
        count=count,
        position="position + n",
        hash="'sha256:' || encode(sha256((hash || n)::bytea), 'hex')",
    )
    finding = Finding.objects.first()
    if finding is not None:
        multiply(finding, count=few, key=f"'mass {year} ' || n")


def _first_id(row: ModelVersion | ModelAsset, copies: int) -> int:
    """The ID of the first of the copies that were made last."""
    return int(type(row)._default_manager.latest("pk").pk) - copies + 1
