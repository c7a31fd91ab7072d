"""The server time of each kind of page on the recorded data, as a multiple of that of the log-in page.

Seconds depend on the machine; a ratio of the same run says how heavy a page is wherever it is measured.
"""

import statistics
import time
from collections.abc import Iterator

from django.contrib.auth.models import User
from django.test import Client
from django.urls import resolve

from examples.recorded.clock import RecordedClock
from tests.integration.conftest import installation, signing_key_pem
from tests.integration.examples.conftest import loaded
from tests.performance.recorder import Recorder
from tests.promises.test_06_links import reached

__all__ = ["installation", "loaded", "signing_key_pem"]  # the fixtures of the tests of the recording

ROUNDS, LOG_IN = 5, "/accounts/login/"


def kinds_of_page(user: User) -> Iterator[tuple[str, str]]:
    """Each kind of page that this person reaches, with the first address of it."""
    seen: set[str] = set()
    for _, path, _, size in reached(user):
        kind = resolve(path.partition("?")[0]).view_name
        if size and kind not in seen:
            seen.add(kind)
            yield kind, path


def median_s(client: Client, path: str) -> float:
    """The median time of some requests through the whole application, in seconds."""
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        assert client.get(path).status_code == 200
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def test_the_time_of_each_page_beside_that_of_the_log_in_page(keep: Recorder, loaded: RecordedClock) -> None:
    """The log-in page is timed again before each page, so that other work on the machine bothers both alike."""
    lead, stranger = Client(), Client()
    user = User.objects.get(username="lead")
    lead.force_login(user)
    ratios = {}
    for kind, path in list(kinds_of_page(user)):
        of_log_in = median_s(stranger, LOG_IN)
        ratios[kind] = median_s(lead, path) / of_log_in
    for kind, ratio in sorted(ratios.items(), key=lambda item: -item[1]):
        print(f"{ratio:6.1f}  {kind}")
    slowest = max(ratios, key=lambda kind: ratios[kind])
    beside = f"times the log-in page, of {len(ratios)} kinds of page"
    keep("pages.median", statistics.median(ratios.values()), "x", title="The median page", beside=beside)
    keep("pages.slowest", ratios[slowest], "x", title="The slowest page", beside=f"{beside}: {slowest}")
