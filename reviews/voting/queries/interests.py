"""Who has an interest in a request, from its rows and from the audit trail."""

from collections import defaultdict
from collections.abc import Collection
from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import Q

from benchmarking.runs.models import Run
from governance.audit.models import AuditEvent
from governance.inventory.models import ModelAsset, ModelVersion
from governance.people.domain.roles import Role
from governance.people.models import RoleGrant
from governance.rulebook.domain.policy import FORMER_OWNER_DAYS
from governance.rulebook.queries.rulebook import policy_in
from reviews.evidence.models import MetricRecord
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.models import ReviewRequest
from reviews.voting.domain.independence import Interest, Interests

EDITED = (
    "request.created",
    "request.edited",
    "request.amended",
    "checklist.answered",
    "contradiction.answered",
    "projection.stated",
)
"""The events of a request whose actor wrote a part of what the voters read."""
REGISTERED, REVOKED = "model.registered", "role.revoked"


def interests_of(request: ReviewRequest, *, evidence: EvidenceSnapshot) -> Interests:
    """The people with an interest in the request: those of its rows, and those that the trail names.

    The trail is read, because a new answer replaces the old one, and because ownership and membership can be given up
    just before a vote; they count for the days that the policy sets. The standing belongs to the bytes, so whoever
    filed, owns or registered the same bytes for another team has an interest too.
    """
    asset, people = request.model_version.asset, defaultdict[Interest, set[int]](set)
    people[Interest.SAME_ARTIFACT], owned = parts_in_artifact(request)
    people[Interest.REQUESTER] = {request.requester_id}
    people[Interest.OWNER] = {request.owner_id, asset.owner_id}
    people[Interest.REGISTRAR] = {request.model_version.registered_by_id}
    people[Interest.EVIDENCE] = _evidence_makers(evidence)
    if request.dataset is not None:
        people[Interest.EVALUATION_DATA] = {request.dataset.registered_by_id}
    former_owners, former_members = set(), set()
    for event in _events(request, evidence, owned):
        if event.kind == REGISTERED:
            before = (event.details.get("before") or {}).get("owner")
            former_owners |= {before} if event.subject in owned else set()
            former_members |= {before} if event.subject.startswith(f"{request.team.slug}/") else set()
        elif event.kind == REVOKED:
            former_members.add(event.subject)
        elif event.actor_id:
            people[Interest.EVIDENCE].add(int(event.actor_id))
    named = _ids_of(former_owners | former_members)
    people[Interest.FORMER_OWNER] = {named[name] for name in former_owners if name in named}
    return Interests(
        {interest: frozenset(ids) for interest, ids in people.items()},
        _members(request) | {named[name] for name in former_members if name in named},
    )


def _evidence_makers(evidence: EvidenceSnapshot) -> set[int]:
    """Whoever stated a value or a projection, made that projection, attached a study, or started a run.

    Only their ids are read. Where the request had other data before, the values of those data are left out.
    """
    request, values = evidence.request, MetricRecord.objects.filter(request=evidence.request)
    if request.data_since is not None:
        values = values.filter(pk__in=[row.pk for row in evidence.metric_records])
    rows = (
        values.order_by()
        .values_list("stated_by")
        .union(
            request.projections.order_by().values_list("stated_by"),
            request.projections.order_by().values_list("projection__kept_by"),
            request.imported_files.exclude(kind="").order_by().values_list("imported_by"),
            Run.objects.filter(asked_for=request.ref).order_by().values_list("started_by"),
        )
    )
    found: set[int | None] = {person_id for (person_id,) in rows}
    return {person_id for person_id in found if person_id is not None}


def parts_in_artifact(request: ReviewRequest) -> tuple[set[int], set[str]]:
    """Whoever registered, owns or filed the artifact or a part of it for any team, and its models in the trail."""
    version = request.model_version
    rows = ModelVersion.objects.filter(digest__in=[version.digest, *version.contained])
    people = ("registered_by", "asset__owner", "review_requests__requester", "review_requests__owner")
    found = rows.values_list("asset__team__slug", "asset__slug", *people)
    ids = {person_id for _, _, *row in found for person_id in row if person_id is not None}
    return ids, {f"{team}/{slug}" for team, slug, *_ in found}


def _members(request: ReviewRequest) -> frozenset[int]:
    """The requesters of the team and the owners of its models, as for money of the team."""
    filing = RoleGrant.objects.filter(role=Role.REQUESTER, team=request.team).values_list("user_id", flat=True)
    owning = ModelAsset.objects.filter(team=request.team).values_list("owner_id", flat=True)
    return frozenset(filing.union(owning))


def _events(request: ReviewRequest, evidence: EvidenceSnapshot, owned: Collection[str]) -> list[AuditEvent]:
    days = policy_in(request.policy).former_owner_days if request.policy else FORMER_OWNER_DAYS
    since = evidence.now - timedelta(days=days)
    own_team = Q(subject__startswith=f"{request.team.slug}/")
    return list(
        AuditEvent.objects.filter(
            Q(subject_type="request", subject=request.ref, kind__in=EDITED)
            | Q(Q(subject__in=owned) | own_team, subject_type="model", kind=REGISTERED, at__gte=since)
            | Q(
                subject_type="person",
                kind=REVOKED,
                details__team=request.team.slug,
                details__role=Role.REQUESTER.value,
                at__gte=since,
            )
        )
    )


def _ids_of(usernames: set[str | None]) -> dict[str | None, int]:
    names = [name for name in usernames if name]
    return dict(User.objects.filter(username__in=names).values_list("username", "pk")) if names else {}
