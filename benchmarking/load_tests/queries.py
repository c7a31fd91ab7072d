"""Reads of load tests."""

from django.db.models import QuerySet

from benchmarking.load_tests.models import STARTED, LoadTest
from governance.jobs.enums import JobState


def unconcluded_tests() -> QuerySet[LoadTest]:
    """Return the unfinished tests whose parts are all done: their worker has died or is writing the result."""
    return LoadTest.objects.filter(STARTED).exclude(parts__state__in=sorted(set(JobState.values) - {JobState.DONE}))
