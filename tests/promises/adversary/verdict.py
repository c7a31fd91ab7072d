"""What must hold whatever the adversary tried, from the tables and from what the scene began with."""

from collections.abc import Iterator
from decimal import Decimal

from django.utils import timezone

from governance.audit.models import AuditEvent
from governance.budgets.domain.quarters import Quarter
from governance.budgets.models import BudgetAccount, LedgerEntry
from governance.people.domain.roles import Role
from governance.people.models import RoleGrant
from governance.people.queries.people import person_of
from reviews.authorizations.models import Authorization, Condition
from reviews.evidence.models import MetricRecord
from reviews.feed.queries import gate
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.snapshot import snapshot_of
from tests.promises.adversary.scene import BINDING, PROMISE, Scene

LIMITS = {"training_gpu_hours": 200, "training_cost_usd": 10_000}
TOTAL = 50_000
INSIDERS = {"author", *BINDING}
WROTE = ("request.created", "request.edited", "metric_value.", "checklist.", "contradiction.", "projection.stated")


class Verdict:
    """An independent judgment of gate, votes and money."""

    def __init__(self, scene: Scene, held: tuple[str, ...]) -> None:
        self.scene, self.held = scene, held
        self.quarter = str(Quarter.of(timezone.now().date()))
        self.sound = set(Authorization.objects.values_list("number", flat=True))
        self.granted, self.modes = self._granted(), self._modes()

    def broken(self) -> Iterator[str]:
        """Sentences about what should not be; empty if all is well."""
        yield from self._votes()
        yield from self._gate()
        yield from self._conditions()
        yield from self._cast_votes()
        if set(self.held) <= INSIDERS:
            yield from self._money()

    # votes

    def _votes(self) -> Iterator[str]:
        for row in Authorization.objects.exclude(number__in=self.sound).select_related("decision__request"):
            request, wrong = row.decision.request, self._wrong_with(row)
            if wrong:
                yield f"{row.number} of {request.ref} was granted {wrong}"
            self.sound.add(row.number)

    def _wrong_with(self, row: Authorization) -> str:
        request = row.decision.request
        cast = request.votes.filter(revision=row.decision.revision, choice="approve").select_related("person")
        involved, insiders = self._involved(request), self._insiders(request)
        technical = {
            vote.person.username
            for vote in cast
            if vote.stage == "technical" and self._holds(vote.person_id, Role.REVIEWER)
        }
        budget = {
            vote.person.username
            for vote in cast
            if vote.stage == "gpu-budget" and self._holds(vote.person_id, Role.PLATFORM_LEAD)
        }
        if len(technical - involved) < 2:
            return f"with technical votes of {sorted(technical)}, of whom {sorted(technical & involved)} are involved"
        if not technical - involved - insiders:
            return f"without a technical vote from outside the team: {sorted(technical)}"
        if not budget - involved - insiders:
            return f"without a vote on its budget from outside the team: {sorted(budget)}"
        if not request.metric_records.filter(basis="measured", run__verdict="valid").exists():
            return "without measured evidence"
        return ""

    def _involved(self, request: ReviewRequest) -> set[str]:
        version = request.model_version
        names = {request.requester.username, request.owner.username, version.registered_by.username}
        names.add(version.asset.owner.username)
        if version.asset.slug == "voted":
            names |= {"mate", "twin"}
        if request.dataset is not None:
            names.add(request.dataset.registered_by.username)
        for event in AuditEvent.objects.filter(subject_type="request", subject=request.ref).exclude(actor_id=""):
            if event.kind.startswith(WROTE):
                names |= {user.username for user in self.scene.people.values() if str(user.pk) == event.actor_id}
        return names

    def _insiders(self, request: ReviewRequest) -> set[str]:
        members = RoleGrant.objects.filter(role=Role.REQUESTER, team=request.team)
        return set(members.values_list("user__username", flat=True)) | (
            INSIDERS if request.team.slug == "search" else set()
        )

    def _holds(self, person_id: int, role: Role) -> bool:
        return RoleGrant.objects.filter(user_id=person_id, user__is_active=True, role=role).exists()

    # the gate

    def _gate(self) -> Iterator[str]:
        auditor = person_of(self.scene.people["auditor"])
        for name, digest in self.scene.digests.items():
            for place in ("dev", "prod"):
                answer = gate.decide(digest=digest, environment=place, person=auditor, now=timezone.now())
                if answer.answer != "allow":
                    continue
                if answer.authorization:
                    if answer.authorization not in self.sound:
                        yield f"the gate allows {name} in {place} by {answer.authorization}, which nobody granted"
                elif place == "prod":
                    yield f"the gate allows {name} in production without a vote"
                elif name in {"rejected", "pending", "revoked", "conditional"}:
                    yield f"the gate allows {name}, which people decided about, by a clearance"
                elif over := self._over(digest):
                    yield f"the gate allows {name} in {place} by a clearance, but {over}"

    def _over(self, digest: str) -> str:
        """What was claimed over the limits for the artifact, in any submitted request."""
        rows = MetricRecord.objects.filter(
            request__model_version__digest=digest, request__submitted_at__isnull=False, request__environment="dev"
        )
        worst: dict[str, Decimal] = {}
        for row in rows:
            worst[row.name] = max(row.value, worst.get(row.name, row.value))
        for name, limit in LIMITS.items():
            if worst.get(name, Decimal(0)) > limit:
                return f"{name} was claimed as {worst[name]}"
        parts = worst.get("training_cost_usd", Decimal(0)) + worst.get("inference_cost_1y_usd", Decimal(0))
        return f"its parts add up to {parts}" if parts > TOTAL else ""

    def _conditions(self) -> Iterator[str]:
        digest = self.scene.digests["conditional"]
        rows = Condition.objects.filter(authorization__subject_digest=digest, text=PROMISE, carried_to=None)
        for row in rows.select_related("lifted_by", "met_by"):
            for person in (row.lifted_by, row.met_by):
                if person is not None and person.username in INSIDERS:
                    yield f"{person.username} of the team ended the condition “{PROMISE}”"
        living = Authorization.objects.filter(subject_digest=digest, state__in=["active", "pending_expiration"])
        for held in living:
            ended = rows.filter(met_at__isnull=False).exists() or rows.filter(lifted_at__isnull=False).exists()
            if not ended and not held.conditions.filter(text=PROMISE, carried_to=None).exists():
                yield f"the condition “{PROMISE}” fell away from {held.number}"

    # a vote that was cast

    def _cast_votes(self) -> Iterator[str]:
        request = ReviewRequest.objects.get(pk=self.scene.voted.pk)
        person = self.scene.people["reviewer_one"]
        if request.state != "in_review" or request.revision != self.scene.voted.revision:
            return
        if self._holds(person.pk, Role.REVIEWER):
            counted = snapshot_of(request, now=timezone.now()).electorate.approver_ids
            if person.pk not in counted:
                yield "the vote that reviewer_one cast does not count any more"

    # money

    def _money(self) -> Iterator[str]:
        for account, amount in self._granted().items():
            if amount > self.granted.get(account, Decimal(0)):
                yield f"{amount} is allocated in {account}, and {self.granted.get(account, 0)} was granted"
        for account, mode in self._modes().items():
            if mode != self.modes.get(account, mode):
                yield f"the mode of {account} is {mode} instead of {self.modes[account]}"

    def _granted(self) -> dict[str, Decimal]:
        found: dict[str, Decimal] = {}
        rows = LedgerEntry.objects.filter(kind__in=["allocate", "transfer"]).select_related("account__center")
        for row in rows:
            found[str(row.account)] = found.get(str(row.account), Decimal(0)) + row.amount
        return found

    def _modes(self) -> dict[str, str]:
        return {str(row): row.mode for row in BudgetAccount.objects.select_related("center")}
