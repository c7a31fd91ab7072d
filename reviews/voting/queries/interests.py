"""Who has an interest in a request, from its rows and from the audit trail."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.contrib.auth.models import User
from django.db.models import OuterRef, Q, Subquery
from django.db.models.fields.json import KT

from benchmarking.runs.models import Run
from governance.audit.models import AuditEvent
from governance.inventory.models import ModelAsset, ModelVersion
from governance.people.domain.roles import Role
from governance.people.models import RoleGrant
from governance.rulebook.domain.policy import FORMER_OWNER_DAYS
from governance.rulebook.queries.rulebook import policy_in
from reviews.evidence.models import ImportedFile, MetricRecord, RequestProjection
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


def interests_of_all(evidence: Sequence[EvidenceSnapshot]) -> dict[int, Interests]:
    """The people with an interest in each request, by its id: those of its rows, and those that the trail names.

    The trail is read, because a new answer replaces the old one, and because ownership and membership can be given up
    just before a vote; they count for the days that the policy sets. The standing belongs to the bytes, so whoever
    filed, owns or registered the same bytes for another team has an interest too. The number of queries does not
    depend on that of the requests.
    """
    if not evidence:
        return {}
    requests = [one.request for one in evidence]
    makers, parts, members = _evidence_makers(evidence), _parts(requests), _members(requests)
    events = _Events.read(evidence, subjects={subject for part in parts.values() for subject in part.subjects})
    former = {one.request.pk: events.former(one, parts[one.request.pk].subjects) for one in evidence}
    named = _ids_of({name for owners, others in former.values() for name in (*owners, *others)})
    found = {}
    for request in requests:
        owners, others = former[request.pk]
        people = {
            Interest.SAME_ARTIFACT: parts[request.pk].people,
            Interest.REQUESTER: {request.requester_id},
            Interest.OWNER: {request.owner_id, request.model_version.asset.owner_id},
            Interest.REGISTRAR: {request.model_version.registered_by_id},
            Interest.EVIDENCE: makers[request.pk] | events.authors(request),
            Interest.FORMER_OWNER: {named[name] for name in owners if name in named},
        }
        if request.dataset is not None:
            people[Interest.EVALUATION_DATA] = {request.dataset.registered_by_id}
        found[request.pk] = Interests(
            {interest: frozenset(ids) for interest, ids in people.items()},
            members[request.team_id] | {named[name] for name in others if name in named},
        )
    return found


def _evidence_makers(evidence: Sequence[EvidenceSnapshot]) -> dict[int, set[int]]:
    """Whoever stated a value or a projection, made that projection, attached a study, or started a run.

    Only their ids are read. Where a request had other data before, the values of those data are left out.
    """
    keys, values = [one.request.pk for one in evidence], MetricRecord.objects.order_by()
    changed = [one for one in evidence if one.request.data_since is not None]
    of_changed = [row.pk for one in changed for row in one.metric_records]
    counted = values.filter(request__in=set(keys) - {one.request.pk for one in changed})
    about = Subquery(ReviewRequest.objects.filter(ref=OuterRef("asked_for")).values("pk"))
    runs = Run.objects.filter(asked_for__in=[one.request.ref for one in evidence]).annotate(about=about).order_by()
    projections = RequestProjection.objects.filter(request__in=keys).order_by()
    studies = ImportedFile.objects.filter(request__in=keys).exclude(kind="").order_by()
    rows = counted.values_list("request_id", "stated_by").union(
        values.filter(pk__in=of_changed).values_list("request_id", "stated_by"),
        projections.values_list("request_id", "stated_by"),
        projections.values_list("request_id", "projection__kept_by"),
        studies.values_list("request_id", "imported_by"),
        runs.values_list("about", "started_by"),
    )
    found: dict[int, set[int]] = {key: set() for key in keys}
    for key, person_id in rows:
        if person_id is not None:
            found[key].add(person_id)
    return found


@dataclass(frozen=True)
class ArtifactParties:
    """Whoever registered, owns or filed an artifact or a part of it for any team, and its models in the trail."""

    people: set[int]
    subjects: set[str]


def parts_in_artifact(request: ReviewRequest) -> ArtifactParties:
    """Whoever registered, owns or filed the artifact of a request or a part of it for any team."""
    return _parts([request])[request.pk]


def _parts(requests: Sequence[ReviewRequest]) -> dict[int, ArtifactParties]:
    digests = {row.pk: {row.model_version.digest, *row.model_version.contained} for row in requests}
    rows = ModelVersion.objects.filter(digest__in=set().union(*digests.values()))
    people = ("registered_by", "asset__owner", "review_requests__requester", "review_requests__owner")
    by_digest = defaultdict[str, ArtifactParties](lambda: ArtifactParties(set(), set()))
    for digest, team, slug, *ids in rows.values_list("digest", "asset__team__slug", "asset__slug", *people):
        by_digest[digest].people.update(person_id for person_id in ids if person_id is not None)
        by_digest[digest].subjects.add(f"{team}/{slug}")
    return {
        key: ArtifactParties(
            set().union(*(by_digest[digest].people for digest in own)),
            set().union(*(by_digest[digest].subjects for digest in own)),
        )
        for key, own in digests.items()
    }


def _members(requests: Sequence[ReviewRequest]) -> dict[int, frozenset[int]]:
    """The requesters of each team and the owners of its models, as for money of the team, by the id of the team."""
    teams = {request.team_id for request in requests}
    filing = RoleGrant.objects.filter(role=Role.REQUESTER, team__in=teams).values_list("team_id", "user_id")
    owning = ModelAsset.objects.filter(team__in=teams).order_by().values_list("team_id", "owner_id")
    found: dict[int, set[int]] = {team: set() for team in teams}
    for team, person_id in filing.union(owning):
        found[team].add(person_id)
    return {team: frozenset(ids) for team, ids in found.items()}


@dataclass(frozen=True)
class _Events:
    """The events of the trail that name people with an interest."""

    rows: tuple[AuditEvent, ...]

    @classmethod
    def read(cls, evidence: Sequence[EvidenceSnapshot], *, subjects: Collection[str]) -> "_Events":
        """The events of some requests; `subjects` are the models of their artifacts."""
        teams = {one.request.team.slug for one in evidence}
        since = min(_since(one) for one in evidence)
        of_teams = reduce(or_, (Q(subject__startswith=f"{team}/") for team in teams))
        rows = AuditEvent.objects.annotate(team=KT("details__team"), role=KT("details__role")).filter(
            Q(subject_type="request", subject__in=[one.request.ref for one in evidence], kind__in=EDITED)
            | Q(Q(subject__in=subjects) | of_teams, subject_type="model", kind=REGISTERED, at__gte=since)
            | Q(subject_type="person", kind=REVOKED, team__in=teams, role=Role.REQUESTER.value, at__gte=since)
        )
        return cls(tuple(rows))

    def authors(self, request: ReviewRequest) -> set[int]:
        """The ids of those who wrote a part of what the voters read."""
        own = (row for row in self.rows if row.subject_type == "request" and row.subject == request.ref)
        return {int(row.actor_id) for row in own if row.actor_id}

    def former(self, evidence: EvidenceSnapshot, subjects: Collection[str]) -> tuple[set[str], set[str]]:
        """The user names of the former owners of the models, and of the former members of the team."""
        team, since = evidence.request.team.slug, _since(evidence)
        owners, members = set[str](), set[str]()
        for row in (row for row in self.rows if row.at >= since):
            if row.kind == REGISTERED:
                before = (row.details.get("before") or {}).get("owner")
                owners |= {before} if before and row.subject in subjects else set()
                members |= {before} if before and row.subject.startswith(f"{team}/") else set()
            elif row.kind == REVOKED and row.details.get("team") == team:
                members.add(row.subject)
        return owners, members


def _since(evidence: EvidenceSnapshot) -> datetime:
    """From when on a given up ownership or membership counts."""
    policy = evidence.request.policy
    days = policy_in(policy).former_owner_days if policy else FORMER_OWNER_DAYS
    return evidence.now - timedelta(days=days)


def _ids_of(usernames: Collection[str]) -> dict[str, int]:
    if not usernames:
        return {}
    return dict(User.objects.filter(username__in=usernames).values_list("username", "pk"))
