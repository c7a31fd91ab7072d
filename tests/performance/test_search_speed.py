"""A search among 100,000 requests beside the same search among 1,000."""

import statistics
import time
from collections.abc import Sequence

from django.contrib.auth.models import User

from governance.people.queries.people import person_of
from reviews.requests.models import ReviewRequest
from reviews.search.queries.hits import groups_of
from tests.factories.people import Cast
from tests.integration.conftest import cast, decided, installation, now, policy, signing_key_pem
from tests.mass_history import fill
from tests.performance.recorder import Recorder

__all__ = ["cast", "decided", "installation", "now", "policy", "signing_key_pem"]  # the fixtures

FEW, MANY, ROUNDS, RATIO_MAX = 1_000, 100_000, 9, 4.0
TEXTS = ("visual", "request about", "a", "zz", "nothing at all like it", "author", "sha256:" + "0" * 64)


def slowest_s(users: Sequence[User]) -> float:
    """The median time of the slowest search of these people, in seconds."""
    return max(_median_s(user, text) for user in users for text in TEXTS)


def _median_s(user: User, text: str) -> float:
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        groups_of(text, person=person_of(user), sees_tables=False)
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def test_a_search_among_many_is_as_fast_as_among_few(keep: Recorder, decided: ReviewRequest, cast: Cast) -> None:
    people = (cast.approver, cast.author, cast.outsider)
    fill(decided, count=FEW)
    few = slowest_s(people)
    fill(decided, count=MANY, year=2016)
    many = slowest_s(people)
    title = f"The slowest search among {MANY:,} requests beside that among {FEW:,}"
    ratio = keep("search.ratio", many / few, "times", at_most=RATIO_MAX, title=title)
    keep("search.slowest_ms", many * 1000, "ms", title=f"The slowest search among {MANY:,} requests")
    assert ratio.is_held
