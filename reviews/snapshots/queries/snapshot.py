"""One reading of a request: whatever is judged, offered, shown, printed or answered of it is a function of this.

Each kind of row is read once, when it is first asked for; an action that decides takes its snapshot under the lock and
another one for what it has written since.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from django.db.models import Q

from governance.audit.models import AuditEvent
from governance.budgets.queries.effects import BudgetEffect
from governance.inventory.models import ModelVersion
from governance.jobs.enums import UNFINISHED, JobState
from governance.jobs.models import OutboxMessage
from reviews.authorizations.models import Authorization, Condition, Decision, ReReview
from reviews.evidence.models import PolicyEvaluation
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.enums import REJECTED
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import parties_of
from reviews.requests.rules import Parties
from reviews.tickets.models import Ticket
from reviews.voting.models import Revision
from reviews.voting.queries import commitments
from reviews.voting.queries.electorate import Electorate, electorate_of

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
        """Where the request stands."""
        return RequestState(self.request.state)

    @property
    def parties(self) -> Parties:
        """Whose request it is."""
        return parties_of(self.request)

    @cached_property
    def electorate(self) -> Electorate:
        """Who has voted, who may, and what the votes add up to."""
        return electorate_of(self.request, evidence=self.evidence)

    @cached_property
    def rivals(self) -> tuple[ModelVersion, ...]:
        """The other candidates, in the order in which they were registered."""
        return tuple(self.request.rivals.select_related("asset__team").order_by("pk"))

    @cached_property
    def policy_evaluations(self) -> tuple[PolicyEvaluation, ...]:
        """What the policy said each time it was asked, the latest first."""
        return tuple(self.request.policy_evaluations.select_related("policy").order_by("-pk"))

    @cached_property
    def revisions(self) -> tuple[Revision, ...]:
        """The frozen revisions, the latest first."""
        return tuple(self.request.revisions.order_by("-number"))

    @property
    def frozen(self) -> Revision | None:
        """The present revision, once it is frozen."""
        return next((row for row in self.revisions if row.number == self.request.revision), None)

    @cached_property
    def _single(self) -> ReviewRequest:
        """The request with what it has at most one of, whatever its own row knew of that before."""
        related = ("decision__decided_by", "decision__authorization", "ticket__mirror")
        return ReviewRequest.objects.select_related(*related).get(pk=self.request.pk)

    @property
    def decision(self) -> Decision | None:
        """How the review ended, if it has."""
        return getattr(self._single, "decision", None)

    @property
    def is_rejected(self) -> bool:
        """Whether the review ended with a rejection."""
        return self.decision is not None and self.decision.outcome == REJECTED

    @property
    def authorization(self) -> Authorization | None:
        """The permission that an approval produced."""
        return getattr(self.decision, "authorization", None)

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """What the approval came with, soonest due first."""
        if self.authorization is None:
            return ()
        rows = self.authorization.conditions.select_related("owner", "met_by").order_by("due_on", "pk")
        return tuple(rows)

    @cached_property
    def re_reviews(self) -> tuple[ReReview, ...]:
        """Breaches that opened this request, and breaches of its authorization; the earliest first."""
        about = Q(request=self.request) | Q(authorization__decision__request=self.request)
        rows = ReReview.objects.filter(about).select_related("finding", "authorization__decision__request", "request")
        return tuple(rows.order_by("pk"))

    @cached_property
    def budget(self) -> tuple[BudgetEffect, ...]:
        """What the request takes from its team's accounts, quarter by quarter, that of the decision first."""
        return commitments.effects_of(self.evidence, decision=self.decision)

    @property
    def ticket(self) -> Ticket | None:
        """The ticket, where one was wanted, with what was last read of it."""
        return getattr(self._single, "ticket", None)

    @cached_property
    def messages(self) -> Mapping[str, Sequence[OutboxMessage]]:
        """What is under way by lane, the oldest first: about the ticket, and results that are no evidence yet."""
        taken, found = (
            {record.run_id for record in self.evidence.metric_records},
            defaultdict[str, list[OutboxMessage]](list),
        )
        of_runs = [f"run:{run.pk}" for run in self.evidence.runs if run.pk not in taken]
        lanes = [f"ticket:{self.request.ref}", *of_runs]
        for row in OutboxMessage.objects.filter(lane__in=lanes, state__in=[*UNFINISHED, JobState.DEAD]).order_by("pk"):
            found[row.lane].append(row)
        return found

    @property
    def is_measuring(self) -> bool:
        """Whether a run is under way, or has ended and is not yet taken as evidence."""
        results = [row for lane, rows in self.messages.items() if lane.startswith("run:") for row in rows]
        is_arriving = any(row.kind == "run.finished" and row.state in UNFINISHED for row in results)
        return is_arriving or any(run.state in UNFINISHED for run in self.evidence.runs)

    @cached_property
    def packets(self) -> "tuple[Packet, ...]":
        """Every packet without what it says, the latest first."""
        return tuple(self.request.packets.defer("document").order_by("-number"))

    @cached_property
    def trail(self) -> Sequence[AuditEvent]:
        """The events of the request, its runs, its authorization and its bookings, the earliest first."""
        held = [self.authorization.number] if self.authorization is not None else []
        about = (
            Q(subject_type="request", subject=self.request.ref)
            | Q(subject_type="run", subject__in=[run.key for run in self.evidence.runs])
            | Q(subject_type="authorization", subject__in=held)
            | Q(subject_type="budget", details__request=self.request.ref)
        )
        return tuple(AuditEvent.objects.filter(about).order_by("position"))


def snapshot_of(request: ReviewRequest, *, now: datetime, evidence: EvidenceSnapshot | None = None) -> RequestSnapshot:
    """The request now; with `evidence` that was read before and has not changed since, that is not read again."""
    return RequestSnapshot(request, now, evidence or EvidenceSnapshot(request, now))
