"""Reads of load tests."""

from benchmarking.load_tests.models import LoadTest
from governance.jobs.enums import UNFINISHED, JobState


def unconcluded() -> list[int]:
    """Tests all of whose parts are done, but not yet their result: whoever was to write it has died, or is at it."""
    begun = LoadTest.objects.filter(state__in=UNFINISHED, starts_at__isnull=False)
    return list(begun.exclude(parts__state__in=set(JobState.values) - {JobState.DONE}).values_list("pk", flat=True))
