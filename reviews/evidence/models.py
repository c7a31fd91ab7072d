"""Tables of evidence, with their database constraints."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from benchmarking.projections.models import CostProjection
from benchmarking.runs.models import Run
from governance.rulebook.domain.trust import SignerKind
from governance.rulebook.models import PolicyVersion
from reviews.requests.models import ReviewRequest
from reviews.scorecard.models import CHANNELS
from weighbridge.core.canonical import digest_of
from weighbridge.core.metrics.basis import Basis
from weighbridge.readers.study_kinds import StudyKind

User = settings.AUTH_USER_MODEL
SIGNERS = [(kind.value, kind.value) for kind in SignerKind]
BASES = [(basis.value, basis.value) for basis in Basis]
STUDIES = [(kind.value, kind.words) for kind in StudyKind]


class AttestedStatement(models.Model):
    """A signed result that a trusted key attested. Rows never change (a trigger enforces this).

    `is_audited` says that it was drawn to be measured again, `audit_run` is that run, if the subject can be run here.
    """

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="attested_statements")
    digest = models.CharField(max_length=71, unique=True)
    envelope = models.JSONField()
    key_name = models.CharField(max_length=200)
    key_digest = models.CharField(max_length=71)
    signer = models.CharField(max_length=10, choices=SIGNERS)
    tool = models.CharField(max_length=200)
    verdict = models.CharField(max_length=10)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    is_audited = models.BooleanField()
    audit_run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="+")
    received_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="attested_run_takes_time", condition=Q(finished_at__gte=models.F("started_at"))
            ),
            models.CheckConstraint(
                name="audit_run_was_drawn", condition=Q(audit_run__isnull=True) | Q(is_audited=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.request} {self.tool} by {self.key_name}"


class ImportedFile(models.Model):
    """A result that a person filed as a file: values of another tool, or a study. Rows never change (by a trigger).

    `part` names one of several results in the file. `reasons` say why the result is only indicative, `left_out` which
    of its metrics were not taken, and why. `kind` is that of a study, or ""; `study` is what it says, with its chart.
    """

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="imported_files")
    file_name = models.CharField(max_length=160)
    file_digest = models.CharField(max_length=71)
    part = models.CharField(max_length=200, blank=True)
    tool = models.CharField(max_length=200)
    verdict = models.CharField(max_length=10)
    reasons = models.JSONField(default=list)
    taken = models.JSONField(default=list)
    left_out = models.JSONField(default=dict)
    kind = models.CharField(max_length=20, blank=True, choices=STUDIES)
    study = models.JSONField(null=True)
    imported_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    imported_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["request", "file_digest", "part"], name="one_import_per_file_and_part"),
            models.CheckConstraint(
                name="study_has_a_kind",
                condition=Q(kind="", study__isnull=True) | (~Q(kind="") & Q(study__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.request} {self.tool} {self.file_name}"


class MetricRecord(models.Model):
    """One metric value of a request. Rows never change (a trigger enforces this); a newer row takes precedence."""

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="metric_records")
    name = models.CharField(max_length=60)
    value = models.DecimalField(max_digits=25, decimal_places=9)
    unit = models.CharField(max_length=16)
    basis = models.CharField(max_length=10, choices=BASES)
    lower = models.DecimalField(max_digits=25, decimal_places=9, null=True)
    upper = models.DecimalField(max_digits=25, decimal_places=9, null=True)
    confidence = models.DecimalField(max_digits=5, decimal_places=4, null=True)
    p80 = models.DecimalField(max_digits=25, decimal_places=9, null=True)
    n = models.PositiveBigIntegerField(null=True)
    source = models.CharField(max_length=300, blank=True)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="metric_records")
    statement = models.ForeignKey(AttestedStatement, on_delete=models.PROTECT, null=True, related_name="metric_records")
    stated_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    observed_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="known_basis", condition=Q(basis__in=[basis.value for basis in Basis])),
            models.CheckConstraint(
                name="measured_has_a_run", condition=~Q(basis=Basis.MEASURED) | Q(run__isnull=False)
            ),
            models.CheckConstraint(
                name="attested_has_a_statement",
                condition=Q(basis=Basis.ATTESTED, statement__isnull=False)
                | (~Q(basis=Basis.ATTESTED) & Q(statement__isnull=True)),
            ),
            models.UniqueConstraint(fields=["run", "name"], name="one_value_per_run_and_metric"),
            models.UniqueConstraint(fields=["statement", "name"], name="one_value_per_statement_and_metric"),
            models.CheckConstraint(
                name="interval_holds_value",
                condition=(Q(lower__isnull=True) | Q(lower__lte=models.F("value")))
                & (Q(upper__isnull=True) | Q(upper__gte=models.F("value"))),
            ),
        ]
        indexes = [models.Index(fields=["request", "name"]), models.Index(fields=["name", "value"])]

    def __str__(self) -> str:
        return f"{self.name} {self.value} {self.unit} ({self.basis})"


class ContradictionAnswer(models.Model):
    """The explanation of the requester for a claim that a measurement contradicts."""

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="contradiction_answers")
    claimed = models.ForeignKey(MetricRecord, on_delete=models.PROTECT, related_name="+")
    measured = models.ForeignKey(MetricRecord, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["claimed", "measured"], name="one_answer_per_contradiction")]

    def __str__(self) -> str:
        return f"{self.claimed} / {self.measured}"


class ChecklistAnswer(models.Model):
    """The latest answer to a checklist item. Earlier answers are in the audit trail."""

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="checklist_answers")
    item = models.CharField(max_length=60)
    text = models.TextField(blank=True)
    file_name = models.CharField(max_length=160, blank=True)
    file_digest = models.CharField(max_length=71, blank=True)
    is_attested = models.BooleanField(default=False)
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "item"], name="one_answer_per_item")]

    def __str__(self) -> str:
        return self.item

    @property
    def digest(self) -> str:
        """The digest of what it says. A new row is no answer, which has a digest too."""
        return digest_of({"text": self.text, "file": self.file_digest, "is_attested": self.is_attested})


class PolicyEvaluation(models.Model):
    """The result of a policy for the metric values of a request. Rows never change (a trigger enforces this).

    `told` stores the other inputs that a replay needs: team, tier and environment, the waived rules, the id of the
    latest metric value (`metric_values_to`), and the ids of the values on record that count instead of claims
    (`binding_values`).
    """

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="policy_evaluations")
    revision = models.PositiveIntegerField()
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+")
    occasion = models.CharField(max_length=20)
    outcome = models.CharField(max_length=20)
    document = models.JSONField()
    told = models.JSONField(null=True)
    evaluated_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.request} {self.outcome}"


class Waiver(models.Model):
    """A time-limited permission not to meet one soft rule, or not to answer one checklist item that does not apply.

    Rows never change (a trigger enforces this); they expire.
    """

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="waivers")
    rule_id = models.CharField(max_length=80, blank=True)
    item_id = models.CharField(max_length=80, blank=True)
    reason = models.TextField()
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    granted_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="waiver_of_a_rule_or_an_item",
                condition=(Q(rule_id="") & ~Q(item_id="")) | (~Q(rule_id="") & Q(item_id="")),
            ),
            models.CheckConstraint(name="waiver_runs_out", condition=Q(expires_at__gt=models.F("granted_at"))),
        ]

    def __str__(self) -> str:
        return f"{self.request} {self.rule_id or self.item_id}"


OPTION_CHARS_MAX = 80


class RequestProjection(models.Model):
    """A cost projection of a request; the latest counts. Rows never change (a trigger enforces this).

    `option` is the option of the projection that the request is about. `run` is the benchmark whose measured service
    times replaced the assumed ones; `changes` holds the values that changed then. `widened_by` is the factor by which
    the ranges of the yearly costs were widened, `widened_on` the number of billed months that required it; both are
    None if the ranges were not widened.
    """

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="projections")
    number = models.PositiveIntegerField()
    projection = models.ForeignKey(CostProjection, on_delete=models.PROTECT, related_name="+")
    option = models.CharField(max_length=OPTION_CHARS_MAX)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="+")
    changes = models.JSONField(default=dict)
    widened_by = models.DecimalField(max_digits=16, decimal_places=4, null=True)
    widened_on = models.PositiveIntegerField(null=True)
    stated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    stated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "number"], name="one_projection_per_number"),
            models.UniqueConstraint(fields=["request", "run"], name="one_projection_per_run"),
            models.CheckConstraint(
                name="projection_is_stated_or_redrawn",
                condition=Q(run__isnull=True, stated_by__isnull=False) | Q(run__isnull=False, stated_by__isnull=True),
            ),
            models.CheckConstraint(
                name="widening_is_whole_and_never_narrows",
                condition=Q(widened_by__isnull=True, widened_on__isnull=True) | Q(widened_by__gt=1, widened_on__gte=1),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.request} projection {self.number}"


class Traffic(models.Model):
    """The number of requests that an authorized model answered in a month; the latest row of a month counts.

    Rows never change (a trigger enforces this).
    """

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="traffic")
    month = models.DateField()
    requests = models.BigIntegerField()
    channel = models.CharField(max_length=4, choices=CHANNELS)
    source = models.CharField(max_length=200, blank=True)
    supplied_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    supplied_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(name="traffic_is_of_a_month", condition=Q(month__day=1)),
            models.CheckConstraint(name="traffic_not_negative", condition=Q(requests__gte=0)),
            models.CheckConstraint(
                name="traffic_channel_known", condition=Q(channel__in=[name for name, _ in CHANNELS])
            ),
        ]
        indexes = [models.Index(fields=["request", "month"])]

    def __str__(self) -> str:
        return f"{self.request} {self.month:%Y-%m}"
