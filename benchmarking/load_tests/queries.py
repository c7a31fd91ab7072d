"""Reads of load tests."""

from benchmarking.load_tests.models import LoadTest
from governance.jobs.enums import UNFINISHED, JobState


def unconcluded_test_ids() -> list[int]:
    """Return the IDs of unfinished tests whose parts are all done: their worker has died or is writing the result."""
    started = LoadTest.objects.filter(state__in=UNFINISHED, starts_at__isnull=False)
    return list(started.exclude(parts__state__in=set(JobState.values) - {JobState.DONE}).values_list("pk", flat=True))
