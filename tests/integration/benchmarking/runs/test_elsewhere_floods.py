"""Workers elsewhere that flood or race: endless bodies, numbers that are none, and calls at the same moment."""

from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from benchmarking.runs.actions import runs
from benchmarking.runs.api import elsewhere
from benchmarking.runs.models import Run
from governance.audit.models import AuditEvent
from governance.inventory.models import ModelVersion
from governance.jobs import actions as jobs
from governance.jobs.models import OutboxMessage
from governance.site.api.limits import CALLS, CallLimit
from tests.factories.models import make_version
from tests.factories.people import Cast, make_cast
from tests.factories.workers import BASE, Elsewhere, make_worker, measured
from tests.standstill import everything
from tests.threads import together
from weighbridge.core.parsing.limits import DocumentLimits

PLAN = {"scenario": "SingleStream", "min_samples": 700}
GIGABYTE = 1_000_000_000


def queue(version: ModelVersion, key: str) -> Run:
    by, now = version.registered_by, timezone.now()
    return runs.queue(key=key, version=version, dataset=None, plan=PLAN, asked_for="MRR-2026-0001", by=by, now=now)


@pytest.fixture
def rack(cast: Cast, now: datetime) -> Elsewhere:
    return make_worker(cast=cast, now=now)


@pytest.fixture
def run(version: ModelVersion) -> Run:
    return queue(version, "r")


def file_of(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("result.json", content)


def test_a_gigabyte_is_refused_before_it_is_read(rack: Elsewhere, run: Run) -> None:
    order = rack.order(at=timezone.now())
    before = everything()
    answer = rack.client.generic(
        "POST",
        f"{BASE}runs/{order.run}/result/",
        b"",
        content_type="multipart/form-data; boundary=b",
        CONTENT_LENGTH=str(GIGABYTE),
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert everything() == before


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b'{"value": NaN}', 400),
        (b'{"value": 1e999}', 400),
        (b'{"value": Infinity}', 400),
        (b'{"value": ' + b"9" * 5_000 + b"}", 400),
        (b"[" * 100_000, 400),
        (b'{"a": 1, "a": 2}', 400),
        (b'{"a": "\\u0000"}', 400),
        (b'{"a": "\xff"}', 400),
        (b"[]", 400),
        (b'"text"', 400),
        (b"{", 400),
        (b" ", 400),
        (b'{"a": "' + b"x" * 1_000 + b'"}', 413),
    ],
)
def test_a_document_that_is_none_moves_nothing(
    rack: Elsewhere, run: Run, content: bytes, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = rack.order(at=timezone.now())
    if status == 413:
        monkeypatch.setattr(elsewhere, "RESULT", DocumentLimits(bytes_max=1_000))
    before = everything()
    answer = rack.send(order, measured(order, at=timezone.now()), file=file_of(content))
    assert answer.status_code == status, answer.content
    assert everything() == before


def test_a_flood_of_claims_is_cut_off(rack: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CallLimit, "THROTTLE_RATES", {"write": "5/min", "read": "5/min"})
    CALLS.clear()
    assert Counter(rack.claim(at=timezone.now()).status_code for _ in range(9)) == {200: 5, 429: 4}


class Raced:
    """A run, two workers, and what must hold whoever comes first."""

    def __init__(self, now: datetime) -> None:
        self.cast = make_cast(now=now)
        self.one, self.two = (make_worker(cast=self.cast, now=now, name=name) for name in ("one", "two"))
        self.run = queue(make_version(by=self.cast.author, now=now), "r")


@pytest.fixture
def raced(transactional_db: None, now: datetime) -> Raced:
    return Raced(now)


def statuses(answers: list[Any]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_take_one_run(raced: Raced) -> None:
    claims = [lambda: raced.one.claim(at=timezone.now()), lambda: raced.two.claim(at=timezone.now())]
    orders = [answer.json()["order"] for answer in together(claims)]
    assert sorted(order is None for order in orders) == [False, True]
    assert AuditEvent.objects.filter(kind="run.claimed").count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_worker_twice_at_once_takes_one_run(raced: Raced) -> None:
    """Two programs with one token: a machine measures one model at a time."""
    queue(raced.run.model_version, "second")
    assert statuses(together([lambda: raced.one.claim(at=timezone.now())] * 2)) == [200, 409]
    assert Run.objects.filter(state="claimed").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_result_sent_twice_at_once_has_one_effect(raced: Raced) -> None:
    order = raced.one.order(at=timezone.now())
    result = measured(order, at=timezone.now())
    assert statuses(together([lambda: raced.one.send(order, result)] * 2)) == [200, 200]
    assert AuditEvent.objects.filter(kind="run.done").count() == 1
    assert OutboxMessage.objects.filter(kind="run.finished").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_result_and_a_cancellation_at_once(raced: Raced) -> None:
    """Either the run is done or it is canceled; the other one is told so."""
    order = raced.one.order(at=timezone.now())
    result = measured(order, at=timezone.now())
    sent, stopped = together(
        [
            lambda: raced.one.send(order, result),
            lambda: jobs.cancel(row=Run.objects.get(), by=raced.cast.author, now=timezone.now()),
        ]
    )
    run = Run.objects.get()
    assert run.state in {"done", "canceled"}
    assert (sent.status_code == 200) is (run.state == "done") is isinstance(stopped, Exception)
    assert (run.result is not None) is (run.state == "done")


@pytest.mark.django_db(transaction=True)
def test_a_result_and_the_claim_of_another_at_once(raced: Raced) -> None:
    """The lease has just lapsed: the result comes too late, whoever is first.

    A claim passes over a run whose row the other holds, and takes it the next time.
    """
    order = raced.one.order(at=timezone.now())
    result = measured(order, at=timezone.now())
    Run.objects.update(lease_until=timezone.now())
    sent, claimed = together([lambda: raced.one.send(order, result), lambda: raced.two.claim(at=timezone.now())])
    order = claimed.json()["order"] or raced.two.claim(at=timezone.now()).json()["order"]
    assert (sent.status_code in {404, 409}, order["run"]) == (True, raced.run.pk)
    assert Run.objects.get().measured_by == raced.two.worker
