"""How to call every write about load tests; `tests/integration/test_every_action_is_audited.py`."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from benchmarking.load_tests import actions as load_tests
from benchmarking.load_tests.models import LoadPart, LoadTest
from governance.jobs import actions as jobs
from governance.jobs import kinds
from tests.factories.people import Cast
from tests.factories.requests import result_of
from weighbridge.load.target import Permission

Call = Callable[[Cast, datetime], object]
PLAN = {
    "url": "http://127.0.0.1:9/predict",
    "rate_per_s": 100,
    "duration_s": 1.0,
    "arrivals": "constant",
    "connections": 4,
}
HERE = [Permission("127.0.0.1")]


def started(cast: Cast, now: datetime, **changes: object) -> LoadTest:
    usual = {
        "key": "load-1",
        "plan": PLAN,
        "workers": 2,
        "permissions": HERE,
        "resolve": lambda _: [],
        "by": cast.approver,
        "now": now,
    }
    return load_tests.start(**(usual | changes))


def claimed(test: LoadTest, number: int, now: datetime) -> LoadPart:
    part = LoadPart.claim(pk=test.parts.get(number=number).pk, now=now, lease=kinds.lease())
    assert part is not None
    return part


def _joined(cast: Cast, now: datetime) -> object:
    return load_tests.join(part=claimed(started(cast, now), 0, now), now=now)


def _handed_in(cast: Cast, now: datetime) -> object:
    part = claimed(started(cast, now), 0, now)
    return load_tests.finish_part(part=part, digest="sha256:" + "ab" * 32, counters={}, now=now)


def _buried(cast: Cast, now: datetime) -> object:
    claimed(started(cast, now), 0, now)
    return jobs.mark_dead(model=LoadPart, now=now + timedelta(hours=1))


ACTIONS: Mapping[str, Call] = {
    "benchmarking.load_tests.actions.start": started,
    "benchmarking.load_tests.actions.join": _joined,
    "benchmarking.load_tests.actions.finish_part": _handed_in,
    "benchmarking.load_tests.actions.conclude": lambda cast, now: load_tests.conclude(
        test=started(cast, now), result=result_of(), now=now
    ),
    "benchmarking.load_tests.actions.fail": lambda cast, now: load_tests.fail(
        test=started(cast, now), reason="No.", now=now
    ),
    "benchmarking.load_tests.actions.cancel": lambda cast, now: load_tests.cancel(
        test=started(cast, now), by=cast.admin, now=now
    ),
}

JOBS: Mapping[str, Call] = {
    "load_test.failed": _buried,
}
