"""Tables of decisions and authorizations, with their database constraints."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from governance.findings.models import Finding
from reviews.authorizations.domain.authorization_states import AUTHORIZATION_TERMINAL, IN_FORCE, AuthorizationState
from reviews.requests.enums import ENVIRONMENTS, OUTCOMES
from reviews.requests.models import ReviewRequest

User = settings.AUTH_USER_MODEL
VALIDITIES = [(state.value, state.value.replace("_", " ")) for state in AuthorizationState]
LIVING = Q(state__in=sorted(state.value for state in set(AuthorizationState) - AUTHORIZATION_TERMINAL))
"""Selects the authorizations that have not ended."""
ENDING = Q(state__in=[AuthorizationState.PENDING_EXPIRATION.value, AuthorizationState.SUSPENDED.value])
"""Selects those that end soon, and those that are held back."""
CONDITIONAL = Q(suspends_on__isnull=False)
"""Selects those with open conditions."""
SHORTENED = Q(expires_at__lt=F("granted_until"))
"""Selects those that end before their signed end, because of a retirement."""
IS_IN_FORCE = Q(state__in=sorted(state.value for state in IN_FORCE))
"""Selects those that the gate may allow."""


class Decision(models.Model):
    """The outcome of a review. Rows never change (a trigger enforces this).

    `settles` lists the denials of the artifact that the voters of an approval saw, as pairs of name and standing; these
    deny no longer.
    """

    request = models.OneToOneField(ReviewRequest, on_delete=models.PROTECT, related_name="decision")
    outcome = models.CharField(max_length=30, choices=OUTCOMES)
    revision = models.PositiveIntegerField()
    bundle_digest = models.CharField(max_length=71)
    policy_evaluation = models.ForeignKey("evidence.PolicyEvaluation", on_delete=models.PROTECT, related_name="+")
    rationale = models.TextField(blank=True)
    settles = models.JSONField(default=list)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.request} {self.outcome}"


class Authorization(models.Model):
    """The expiring, signed permission to run one artifact in one environment.

    `granted_until` is the signed end. `expires_at` is sooner while the vendor of the model retires it sooner.
    `suspends_on` is the first due date of its open conditions, which a trigger keeps; after that day it is suspended.
    `tokens_per_month` and `usd_per_month` limit the usage that a gateway reports; None is no limit. Until
    `denied_until` the gate denies the artifact, because a limit of the month was exceeded and the policy wants that.
    """

    number = models.CharField(max_length=24, unique=True)
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="authorization")
    subject_digest = models.CharField(max_length=71)
    environment = models.CharField(max_length=10, choices=ENVIRONMENTS)
    state = models.CharField(max_length=20, choices=VALIDITIES, default=AuthorizationState.ACTIVE)
    issued_at = models.DateTimeField()
    granted_until = models.DateTimeField()
    expires_at = models.DateTimeField()
    warn_at = models.DateTimeField()
    suspends_on = models.DateField(null=True, editable=False)
    tokens_per_month = models.BigIntegerField(null=True)
    usd_per_month = models.DecimalField(max_digits=24, decimal_places=2, null=True)
    denied_until = models.DateTimeField(null=True)
    envelope = models.JSONField()
    statement_digest = models.CharField(max_length=71)

    class Meta:
        constraints = [
            models.CheckConstraint(name="expires_after_issue", condition=Q(expires_at__gt=models.F("issued_at"))),
            models.CheckConstraint(
                name="never_beyond_the_grant", condition=Q(expires_at__lte=models.F("granted_until"))
            ),
            models.CheckConstraint(
                name="limits_are_positive",
                condition=(Q(tokens_per_month__isnull=True) | Q(tokens_per_month__gt=0))
                & (Q(usd_per_month__isnull=True) | Q(usd_per_month__gt=0)),
            ),
        ]
        indexes = [
            models.Index(fields=["subject_digest", "environment"]),
            models.Index(fields=["expires_at"], name="authorizations_to_expire", condition=LIVING),
            models.Index(fields=["suspends_on"], name="authorizations_to_suspend", condition=IS_IN_FORCE),
            models.Index(
                fields=["warn_at"], name="authorizations_to_warn_of", condition=Q(state=AuthorizationState.ACTIVE.value)
            ),
            models.Index(
                fields=["denied_until"], name="denied_authorizations", condition=Q(denied_until__isnull=False)
            ),
            models.Index(fields=["expires_at"], name="authorizations_that_end", condition=ENDING),
            models.Index(fields=["id"], name="conditional_authorizations", condition=LIVING & CONDITIONAL),
            models.Index(fields=["id"], name="shortened_authorizations", condition=SHORTENED),
        ]

    def __str__(self) -> str:
        return self.number


OPEN_CONDITION = Q(met_at=None, lifted_at=None, carried_to=None)
"""Selects the conditions that are owed: neither met nor lifted, and no newer authorization carries them."""


class Condition(models.Model):
    """A duty attached to an authorization, with an owner and a due date.

    A newer authorization of the same artifact carries the open conditions of the earlier ones. Only the person who set
    a condition, or a later approval that names it, lifts it.
    """

    authorization = models.ForeignKey(Authorization, on_delete=models.PROTECT, related_name="conditions")
    text = models.CharField(max_length=400)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="conditions")
    due_on = models.DateField()
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    met_at = models.DateTimeField(null=True)
    met_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    carried_to = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="carried_from")

    class Meta:
        indexes = [models.Index(fields=["due_on"], name="open_conditions", condition=OPEN_CONDITION)]
        constraints = [
            models.CheckConstraint(
                name="met_has_a_person",
                condition=Q(met_at__isnull=True, met_by__isnull=True) | Q(met_at__isnull=False, met_by__isnull=False),
            ),
            models.CheckConstraint(
                name="lifted_has_a_person",
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True)
                | Q(lifted_at__isnull=False, lifted_by__isnull=False),
            ),
            models.CheckConstraint(
                name="condition_ends_once",
                condition=Q(met_at__isnull=True, lifted_at__isnull=True)
                | Q(met_at__isnull=True, carried_to__isnull=True)
                | Q(lifted_at__isnull=True, carried_to__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def is_open(self) -> bool:
        """Whether the condition is neither met nor lifted nor carried by a newer authorization."""
        return self.met_at is None and self.lifted_at is None and self.carried_to_id is None


class ReReview(models.Model):
    """A breach of an authorization and the request that reviews the model again.

    Rows never change (a trigger enforces this). There is one row per finding, and one finding per authorization, kind
    and window. The first row of a request opened it; later rows are breaches detected while it was open.
    """

    authorization = models.ForeignKey(Authorization, on_delete=models.PROTECT, related_name="re_reviews")
    finding = models.OneToOneField(Finding, on_delete=models.PROTECT, related_name="re_review")
    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="re_reviews")
    noted_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.request} for {self.finding}"
