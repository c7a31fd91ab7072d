"""A snapshot of a request. Permissions, pages, packets and API answers are all functions of it.

Each kind of row is read once, at its first access. An action takes its snapshot under the lock, and a second one after
its writes if it needs the new state.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from django.db.models import Q
from django.db.models.fields.json import KT

from governance.absences.domain import Deputyship
from governance.absences.queries import deputyships_of
from governance.audit.models import AuditEvent
from governance.budgets.queries.effects import BudgetEffect
from governance.inventory.models import ModelVersion
from governance.jobs.enums import UNFINISHED, JobState
from governance.jobs.models import OutboxMessage
from governance.people.domain.roles import Person
from governance.people.queries.membership import team_slugs_of
from reviews.authorizations.domain.standing import StandingRecord, denials
from reviews.authorizations.models import Authorization, Condition, Decision, ReReview
from reviews.authorizations.queries.standing import ArtifactRecords, artifact_records
from reviews.evidence.models import PolicyEvaluation
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.enums import REJECTED
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import parties_of
from reviews.requests.rules import Parties
from reviews.tickets.models import Ticket
from reviews.voting.domain.electorate import Electorate
from reviews.voting.models import Revision
from reviews.voting.queries import budget_effects
from reviews.voting.queries.electorate import after_a_vote, electorate_of, electorates_of
from reviews.voting.queries.interests import parts_in_artifact

if TYPE_CHECKING:
    from reviews.packets.models import Packet


@dataclass(frozen=True, eq=False)
class RequestSnapshot:
    """A request at one moment: its evidence, and its course through the review."""

    request: ReviewRequest
    now: datetime
    evidence: EvidenceSnapshot

    @property
    def state(self) -> RequestState:
        """The state of the request."""
        return RequestState(self.request.state)

    @property
    def parties(self) -> Parties:
        """The team, the requester and the model owner."""
        return parties_of(self.request)

    def teams_of(self, person: Person) -> Set[str]:
        """Slugs of the teams that the person belongs to."""
        if person not in self._teams_by_person:
            self._teams_by_person[person] = team_slugs_of(person, now=self.now)
        return self._teams_by_person[person]

    @cached_property
    def _teams_by_person(self) -> dict[Person, Set[str]]:
        return {}

    @cached_property
    def electorate(self) -> Electorate:
        """The stages, the votes, and who may vote."""
        return electorate_of(self.request, evidence=self.evidence, frozen=self.frozen)

    def deputyships_of(self, person: Person) -> Sequence[Deputyship]:
        """The absences in which the person may act in the place of another one now."""
        if person.id not in self._deputyships_by_id:
            self._deputyships_by_id[person.id] = deputyships_of(person.id, now=self.now)
        return self._deputyships_by_id[person.id]

    @cached_property
    def _deputyships_by_id(self) -> dict[int, Sequence[Deputyship]]:
        return {}

    @cached_property
    def ids_with_part(self) -> Set[int]:
        """The people who registered, own or filed the artifact now, for any team; also after the decision."""
        return parts_in_artifact(self.request).people

    @cached_property
    def rivals(self) -> tuple[ModelVersion, ...]:
        """The other candidates, in the order in which they were registered."""
        return tuple(self.request.rivals.select_related("asset__team").order_by("pk"))

    @cached_property
    def policy_evaluations(self) -> tuple[PolicyEvaluation, ...]:
        """Every policy evaluation of the request, latest first."""
        return tuple(self.request.policy_evaluations.select_related("policy").order_by("-pk"))

    @cached_property
    def revisions(self) -> tuple[Revision, ...]:
        """The frozen revisions, the latest first."""
        return tuple(self.request.revisions.order_by("-number"))

    @property
    def frozen(self) -> Revision | None:
        """The current revision, if it is frozen."""
        return next((row for row in self.revisions if row.number == self.request.revision), None)

    @cached_property
    def _single(self) -> ReviewRequest:
        """The request, read again with its one-to-one relations, because the row in memory may be older."""
        related = ("decision__decided_by", "decision__authorization", "ticket__mirror", "replaced_by")
        return ReviewRequest.objects.select_related(*related).get(pk=self.request.pk)

    @property
    def decision(self) -> Decision | None:
        """The decision, if there is one."""
        return getattr(self._single, "decision", None)

    @property
    def replaced_by(self) -> ReviewRequest | None:
        """The request that was filed in place of this one, for another file."""
        return getattr(self._single, "replaced_by", None)

    @property
    def is_rejected(self) -> bool:
        """Whether the review ended with a rejection."""
        return self.decision is not None and self.decision.outcome == REJECTED

    @property
    def authorization(self) -> Authorization | None:
        """The authorization that an approval issued, if there is one."""
        return getattr(self.decision, "authorization", None)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions of the authorization, the earliest due date first."""
        own = self.authorization
        rows = self.artifact_records.conditions if own is not None else ()
        return tuple(row for row in rows if own is not None and row.authorization_id == own.pk)

    @cached_property
    def artifact_records(self) -> ArtifactRecords:
        """What the requests and authorizations of all teams say of the artifact in this environment."""
        digest, environment = self.request.model_version.digest, self.request.environment
        return artifact_records(digest=digest, environment=environment, now=self.now)

    @property
    def denials(self) -> tuple[StandingRecord, ...]:
        """The denials of the artifact by other requests and their authorizations, which the voters must see."""
        return denials(self.artifact_records.of_others(self.request))

    @property
    def earlier_conditions(self) -> tuple[Condition, ...]:
        """The open conditions of other authorizations of the artifact, which an approval carries over."""
        own = self.authorization.pk if self.authorization is not None else None
        return tuple(row for row in self.artifact_records.open_conditions if row.authorization_id != own)

    @cached_property
    def re_reviews(self) -> tuple[ReReview, ...]:
        """The re-reviews that opened this request, and those of its own authorization; earliest first."""
        # By two keys: a condition on the table of authorizations would read every re-review that there is.
        own = self.authorization.pk if self.authorization is not None else None
        about = Q(request=self.request) | Q(authorization=own)
        rows = ReReview.objects.filter(about).select_related("finding", "authorization__decision__request", "request")
        return tuple(rows.order_by("pk"))

    @cached_property
    def budget(self) -> tuple[BudgetEffect, ...]:
        """The budget effects of the request by quarter, that of the decision (or the present one) first."""
        return budget_effects.budget_effects_of(self.evidence, decision=self.decision)

    @property
    def ticket(self) -> Ticket | None:
        """The ticket, where one was wanted, with what was last read of it."""
        return getattr(self._single, "ticket", None)

    @cached_property
    def messages(self) -> Mapping[str, Sequence[OutboxMessage]]:
        """Undelivered messages by lane, oldest first: ticket updates, and run results that are not evidence yet."""
        recorded = {record.run_id for record in self.evidence.metric_records}
        messages: defaultdict[str, list[OutboxMessage]] = defaultdict(list)
        of_runs = [f"run:{run.pk}" for run in self.evidence.runs if run.pk not in recorded]
        lanes = [f"ticket:{self.request.ref}", *of_runs]
        for row in OutboxMessage.objects.filter(lane__in=lanes, state__in=[*UNFINISHED, JobState.DEAD]).order_by("pk"):
            messages[row.lane].append(row)
        return messages

    @property
    def is_measuring(self) -> bool:
        """Whether a run is unfinished, or its result is not yet recorded as evidence."""
        results = [row for lane, rows in self.messages.items() if lane.startswith("run:") for row in rows]
        is_arriving = any(row.kind == "run.finished" and row.state in UNFINISHED for row in results)
        return is_arriving or any(run.state in UNFINISHED for run in self.evidence.runs)

    @cached_property
    def packets(self) -> "tuple[Packet, ...]":
        """Every packet without its document, latest first."""
        return tuple(self.request.packets.defer("document").order_by("-number"))

    @cached_property
    def trail(self) -> Sequence[AuditEvent]:
        """The audit events of the request, its runs, its authorization and its budget postings, earliest first."""
        numbers = [self.authorization.number] if self.authorization is not None else []
        about = (
            Q(subject_type="request", subject=self.request.ref)
            | Q(subject_type="run", subject__in=[run.key for run in self.evidence.runs])
            | Q(subject_type="authorization", subject__in=numbers)
            | Q(subject_type="budget", about=self.request.ref)
        )
        rows = AuditEvent.objects.alias(about=KT("details__request")).filter(about)
        return tuple(rows.order_by("position"))


def snapshots_in_review(
    requests: Sequence[ReviewRequest], *, now: datetime, deputyships: Mapping[int, Sequence[Deputyship]] | None = None
) -> list[RequestSnapshot]:
    """Snapshots of requests in review, whose electorates are read together; see `electorates_of`.

    `deputyships` are those that are known, by the id of the deputy.
    """
    electorates = electorates_of(requests, now=now)
    snapshots = [snapshot_of(request, now=now) for request in requests]
    teams: dict[Person, Set[str]] = {}
    known = dict(deputyships or {})
    for snapshot in snapshots:  # what a cached property holds
        read = {"electorate": electorates[snapshot.request.pk], "_teams_by_person": teams}
        snapshot.__dict__.update(read, _deputyships_by_id=known)
    return snapshots


def snapshot_after_vote(before: RequestSnapshot) -> RequestSnapshot:
    """The snapshot after a vote and before a decision. It keeps what is locked, and reads the votes again.

    What other requests say of the artifact is read again too: the vote waited for the head of the audit trail.
    """
    after = RequestSnapshot(before.request, before.now, before.evidence)
    electorate = after_a_vote(before.electorate, request=before.request)
    vars(after).update(revisions=before.revisions, electorate=electorate)
    return after


def snapshot_of(request: ReviewRequest, *, now: datetime, evidence: EvidenceSnapshot | None = None) -> RequestSnapshot:
    """A snapshot of the request. Pass `evidence` that has not changed since it was read to save queries."""
    return RequestSnapshot(request, now, evidence or EvidenceSnapshot(request, now))
