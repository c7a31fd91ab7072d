"""Load tests that several workers run at the same time: the test, and one part for each worker."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from benchmarking.runs.enums import RunVerdict
from governance.jobs.enums import UNFINISHED, JobState
from governance.jobs.models import Leased, due_index

PARTS_MAX = 64


STARTED = Q(state__in=[state.value for state in UNFINISHED], starts_at__isnull=False)
"""Selects the tests that have begun and not ended."""


class LoadTest(models.Model):
    """One plan against one pinned address. `starts_at`, common to all parts, is set once every part has a worker."""

    key = models.CharField(max_length=120, unique=True)
    plan = models.JSONField()
    target = models.JSONField()
    size = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=12, choices=JobState.choices, default=JobState.QUEUED)
    starts_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")
    result = models.JSONField(null=True)
    result_digest = models.CharField(max_length=71, blank=True, default="")
    verdict = models.CharField(max_length=10, choices=RunVerdict.choices, blank=True, default="")
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="load_test_state_known", condition=Q(state__in=JobState.values)),
            models.CheckConstraint(name="load_test_has_parts", condition=Q(size__gte=1, size__lte=PARTS_MAX)),
            models.CheckConstraint(
                name="load_test_done_has_a_result",
                condition=~Q(state=JobState.DONE) | (Q(result__isnull=False) & ~Q(verdict="")),
            ),
        ]
        indexes = [models.Index(fields=["id"], name="started_load_tests", condition=STARTED)]

    def __str__(self) -> str:
        return self.key


class LoadPart(Leased):
    """The requests of one worker: every `size`-th request, starting with `number`. Never run twice: the common start
    has passed.
    """

    test = models.ForeignKey(LoadTest, on_delete=models.PROTECT, related_name="parts")
    number = models.PositiveSmallIntegerField()
    progress = models.FloatField(default=0)
    phase = models.CharField(max_length=120, blank=True, default="")
    samples_digest = models.CharField(max_length=71, blank=True, default="")
    told = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_part_of_a_number", fields=["test", "number"]),
            models.CheckConstraint(name="load_part_state_known", condition=Q(state__in=JobState.values)),
            models.CheckConstraint(name="load_part_is_tried_once", condition=Q(attempts__lte=F("max_attempts"))),
            models.CheckConstraint(
                name="load_part_done_has_samples", condition=~Q(state=JobState.DONE) | ~Q(samples_digest="")
            ),
        ]
        indexes = [due_index("due_load_parts")]

    def __str__(self) -> str:
        return f"{self.test_id}/{self.number}"
