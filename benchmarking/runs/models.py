"""Tables of runs and their database constraints."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from benchmarking.runs.domain.evaluation_sets import DatasetPurpose, DatasetStatus, DatasetTask
from benchmarking.runs.enums import RunVerdict
from governance.inventory.models import ModelVersion
from governance.jobs.enums import JobState
from governance.jobs.models import Leased, due_index
from governance.people.models import Team
from governance.rulebook.domain.benchmark_plans import HardwareClass

SEEN_EVERY = timedelta(seconds=5)


DONE = Q(state=JobState.DONE.value)


class Dataset(models.Model):
    """One version of an evaluation set. Rows, size and class balance are computed from the file, never stated.

    A trigger prevents changes: only the status moves, from proposed to governed, and to retired.
    """

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="datasets")
    name = models.CharField(max_length=120)
    version = models.PositiveIntegerField()
    license = models.CharField(max_length=120)
    purpose = models.CharField(max_length=12, choices=[(each.value, each.value) for each in DatasetPurpose])
    digest = models.CharField(max_length=71)
    size_bytes = models.BigIntegerField()
    stored_as = models.CharField(max_length=200)
    rows = models.PositiveBigIntegerField()
    task = models.CharField(max_length=8, choices=[(each.value, each.value) for each in DatasetTask])
    class_balance = models.JSONField(default=dict)
    status = models.CharField(
        max_length=8, choices=[(each.value, each.value) for each in DatasetStatus], default=DatasetStatus.PROPOSED
    )
    registered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    registered_at = models.DateTimeField()
    governed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    # The teams of that person at that time: quality for them is not measured by their own data steward's set.
    steward_teams = models.JSONField(default=list)
    governed_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-registered_at", "-id"], name="datasets_by_age")]
        constraints = [
            models.UniqueConstraint(fields=["team", "name", "version"], name="one_dataset_per_version"),
            models.UniqueConstraint(fields=["team", "digest"], name="one_dataset_per_content"),
            # A policy names sets without their team.
            models.UniqueConstraint(
                fields=["name", "version"], condition=Q(governed_at__isnull=False), name="one_governed_name"
            ),
            models.CheckConstraint(
                name="dataset_status_says_when",
                condition=Q(
                    status=DatasetStatus.PROPOSED.value,
                    governed_by__isnull=True,
                    governed_at__isnull=True,
                    retired_at__isnull=True,
                )
                | Q(
                    status=DatasetStatus.GOVERNED.value,
                    governed_by__isnull=False,
                    governed_at__isnull=False,
                    retired_at__isnull=True,
                )
                | Q(status=DatasetStatus.RETIRED.value, retired_at__isnull=False),
            ),
            models.CheckConstraint(
                name="dataset_is_described", condition=Q(rows__gte=1, version__gte=1) & ~Q(name="") & ~Q(license="")
            ),
            models.CheckConstraint(
                name="dataset_purpose_known", condition=Q(purpose__in=[each.value for each in DatasetPurpose])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


class Worker(models.Model):
    """A machine elsewhere whose signed results count as measured here. Two people registered its account and key.

    A trigger prevents changes: only `last_seen_at` moves, and the worker is retired once.
    """

    name = models.SlugField(max_length=60)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="bench_workers")
    queue = models.CharField(max_length=3, choices=[(each.value, each.value) for each in HardwareClass])
    machine = models.CharField(max_length=200)
    public_key = models.TextField()
    key_id = models.CharField(max_length=71)
    registered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    registered_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(null=True)
    retired_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # A key that was retired may be known to others, so it never returns.
            models.UniqueConstraint(fields=["key_id"], name="one_worker_of_a_key"),
            models.UniqueConstraint(
                fields=["name"], condition=Q(retired_at__isnull=True), name="one_active_worker_of_a_name"
            ),
            models.UniqueConstraint(
                fields=["account"], condition=Q(retired_at__isnull=True), name="one_active_worker_of_an_account"
            ),
            models.CheckConstraint(
                name="worker_is_described", condition=~Q(name="") & ~Q(machine="") & ~Q(public_key="") & ~Q(key_id="")
            ),
            models.CheckConstraint(
                name="retired_worker_says_by_whom",
                condition=Q(retired_at__isnull=True, retired_by__isnull=True)
                | Q(retired_at__isnull=False, retired_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def show_sign(self, *, now: datetime) -> None:
        """Record that the worker called, at most once in five seconds."""
        if self.last_seen_at is None or now - self.last_seen_at > SEEN_EVERY:
            self.last_seen_at = now
            self.save(update_fields=["last_seen_at"])


class Run(Leased):
    """One benchmark of one model version: queued, claimed, running, then done, failed, dead or canceled."""

    key = models.CharField(max_length=120, unique=True)
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="runs")
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, null=True, blank=True, related_name="runs")
    asked_for = models.CharField(max_length=20, blank=True)
    scenario = models.CharField(max_length=20)
    plan = models.JSONField(default=dict)
    progress = models.FloatField(default=0)
    phase = models.CharField(max_length=120, blank=True, default="")
    result = models.JSONField(null=True)
    result_digest = models.CharField(max_length=71, blank=True, default="")
    verdict = models.CharField(max_length=10, choices=RunVerdict.choices, blank=True, default="")
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    # The worker elsewhere that last claimed the run, and the fence it got: with another fence, it has lost the run.
    worker = models.ForeignKey(Worker, on_delete=models.PROTECT, null=True, blank=True, related_name="runs")
    worker_fence = models.PositiveIntegerField(null=True)
    claimed_at = models.DateTimeField(null=True)
    signed_result = models.JSONField(null=True)
    # The run whose manifest this one was measured with, and how the two compare (`weighbridge.rerun/1`, without
    # results).
    repeats = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="repetitions")
    equivalence = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="run_state_known", condition=Q(state__in=JobState.values)),
            models.CheckConstraint(name="progress_is_a_share", condition=Q(progress__gte=0, progress__lte=1)),
            models.CheckConstraint(
                name="done_has_a_result",
                condition=~Q(state=JobState.DONE) | (Q(result__isnull=False) & ~Q(verdict="")),
            ),
            models.CheckConstraint(
                name="equivalence_is_to_a_run",
                condition=Q(equivalence__isnull=True) | Q(repeats__isnull=False, state=JobState.DONE),
            ),
            models.CheckConstraint(
                name="signed_result_is_of_a_worker",
                condition=Q(signed_result__isnull=True)
                | Q(state=JobState.DONE, worker__isnull=False, worker_fence=F("fence")),
            ),
        ]
        indexes = [
            models.Index(fields=["asked_for"]),
            due_index("due_runs"),
            models.Index(fields=["-finished_at"], name="done_runs", condition=DONE),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def measured_by(self) -> Worker | None:
        """The worker elsewhere that holds the run, or ended it; None if none does."""
        return self.worker if self.worker_fence == self.fence else None

    def give_to(self, worker: Worker, *, now: datetime) -> bool:
        """Note that a worker elsewhere has just claimed the row; returns False if the lease is lost."""
        fields: dict[str, Any] = {"worker": worker, "worker_fence": self.fence, "claimed_at": now}
        for name, value in fields.items():
            setattr(self, name, value)
        return self.write(**fields)


class SandboxChoice(models.Model):
    """One choice. Without any choice, requesters' files run only inside bubblewrap."""

    may_skip_bubblewrap = models.BooleanField()
    reason = models.TextField()
    chosen_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    chosen_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(name="sandbox_choice_has_a_reason", condition=~Q(reason=""))]

    def __str__(self) -> str:
        return "may go without bubblewrap" if self.may_skip_bubblewrap else "bubblewrap alone"
