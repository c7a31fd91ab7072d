"""Writes of load tests: who may start one, at what, when it begins, and that nothing is fired twice."""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.db import IntegrityError, transaction

from benchmarking.load_tests import actions as load_tests
from benchmarking.load_tests.models import LoadPart, LoadTest
from governance.audit.models import AuditEvent
from governance.inventory.actions import stored_files
from governance.jobs import actions as jobs
from governance.jobs import kinds
from tests.factories.people import Cast
from tests.factories.requests import result_of
from tests.factories.snapshots import snapshot
from tests.integration.benchmarking.load_tests.audited import PLAN, claimed, started
from weighbridge.core.errors import Invalid, NotAllowed, WrongState
from weighbridge.load.target import Permission


def test_a_test_is_queued_once_with_a_part_for_each_worker(cast: Cast, now: datetime) -> None:
    test = started(cast, now, workers=3)
    assert started(cast, now, workers=3).pk == test.pk
    assert list(test.parts.order_by("number").values_list("number", "state", "max_attempts")) == [
        (0, "queued", 1),
        (1, "queued", 1),
        (2, "queued", 1),
    ]
    assert (test.state, test.size, test.plan["processes"]) == ("queued", 3, 3)
    assert test.target == {"scheme": "http", "host": "127.0.0.1", "port": 9, "address": "127.0.0.1", "path": "/predict"}
    event = AuditEvent.objects.filter(kind="load_test.queued").get()
    assert event.details["plan"]["url"] == PLAN["url"]


@pytest.mark.parametrize("who", ["author", "reviewer_one", "auditor", "finance"])
def test_only_leads_and_administrators_fire(cast: Cast, now: datetime, who: str) -> None:
    with pytest.raises(NotAllowed):
        started(cast, now, by=getattr(cast, who))
    with pytest.raises(NotAllowed):
        load_tests.cancel(test=started(cast, now), by=getattr(cast, who), now=now)
    assert started(cast, now, by=cast.admin, key="of-the-admin").started_by == cast.admin


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://localhost:9/", "http://[::1]:9/", "http://10.0.0.1/"])
def test_this_machine_needs_its_place_on_the_list_like_any_other(cast: Cast, now: datetime, url: str) -> None:
    with pytest.raises(NotAllowed):
        started(cast, now, plan=PLAN | {"url": url}, permissions=[Permission("models.example.org")])
    assert not LoadTest.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"rate_per_s": 60_000},
        {"headers": [["Authorization", "t"]]},
        {"body": "/etc/passwd", "method": "POST"},
        {"ca_file": "/etc/passwd"},
        {"chat": {"prompts": "/etc/passwd", "name": "p", "digest": "0"}, "method": "POST"},
        {"rate": 1},
        {"duration_s": 0},
    ],
)
def test_plans_that_workers_do_not_follow_are_refused(cast: Cast, now: datetime, change: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        started(cast, now, plan=PLAN | change)
    with pytest.raises(Invalid):
        started(cast, now, workers=0)
    assert not LoadTest.objects.exists()


def test_the_last_worker_to_come_sets_the_common_start(cast: Cast, now: datetime) -> None:
    test = started(cast, now)
    first, second = (claimed(test, number, now) for number in (0, 1))
    load_tests.join(part=first, now=now)
    test.refresh_from_db()
    assert (test.state, test.starts_at) == ("queued", None)
    later = now + timedelta(seconds=3)
    load_tests.join(part=second, now=later)
    test.refresh_from_db()
    assert (test.state, test.starts_at) == ("running", later + load_tests.LEAD)
    load_tests.join(part=second, now=later + timedelta(seconds=9))
    test.refresh_from_db()
    assert test.starts_at == later + load_tests.LEAD


def test_a_part_that_is_no_longer_ones_own_neither_joins_nor_hands_in(cast: Cast, now: datetime) -> None:
    test = started(cast, now)
    part = claimed(test, 0, now)
    load_tests.cancel(test=test, by=cast.approver, now=now)
    before = AuditEvent.objects.count()
    load_tests.join(part=part, now=now)
    assert load_tests.finish_part(part=part, digest="x", counters={}, now=now) is False
    assert AuditEvent.objects.count() == before
    assert {state for (state,) in test.parts.values_list("state")} == {"canceled"}


def test_a_result_is_kept_once(cast: Cast, now: datetime) -> None:
    test = started(cast, now)
    assert load_tests.conclude(test=test, result=result_of(), now=now) is True
    assert load_tests.conclude(test=test, result=result_of(), now=now) is False
    assert load_tests.fail(test=test, reason="No.", now=now) is False
    with pytest.raises(WrongState, match="already ended"):
        load_tests.cancel(test=test, by=cast.approver, now=now)
    test.refresh_from_db()
    assert (test.state, test.error) == ("done", "")
    assert test.result_digest.startswith("sha256:")


def test_a_silent_worker_ends_the_test_and_nobody_fires_its_part_later(cast: Cast, now: datetime) -> None:
    test = started(cast, now)
    part = claimed(test, 0, now)
    later = now + 2 * kinds.lease()
    assert LoadPart.claim(pk=part.pk, now=later, lease=kinds.lease()) is None
    assert jobs.mark_dead(model=LoadPart, now=now) == []
    assert [dead.test for dead in jobs.mark_dead(model=LoadPart, now=later)] == [test]
    assert jobs.mark_dead(model=LoadPart, now=later) == []
    test.refresh_from_db()
    assert (test.state, test.error) == ("failed", "A worker stopped responding during the test; start the test again.")
    assert list(test.parts.order_by("number").values_list("state", flat=True)) == ["dead", "canceled"]


@pytest.mark.parametrize(
    "wrong",
    [{"state": "done"}, {"state": "asleep"}, {"size": 0}, {"size": 65}],
)
def test_the_database_refuses_tests_that_cannot_be(cast: Cast, now: datetime, wrong: dict[str, object]) -> None:
    test = started(cast, now)
    with pytest.raises(IntegrityError), transaction.atomic():
        LoadTest.objects.filter(pk=test.pk).update(**wrong)


@pytest.mark.parametrize("wrong", [{"number": 1}, {"state": "done"}, {"state": "asleep"}, {"attempts": 2}])
def test_the_database_refuses_parts_that_cannot_be(cast: Cast, now: datetime, wrong: dict[str, object]) -> None:
    part = started(cast, now).parts.get(number=0)
    with pytest.raises(IntegrityError), transaction.atomic():
        LoadPart.objects.filter(pk=part.pk).update(**wrong)
    assert str(part).endswith("/0")
    assert str(part.test) == "load-1"


def test_workers_get_method_headers_and_body_and_the_body_lies_where_they_find_it(
    cast: Cast, now: datetime, tmp_path: Path
) -> None:
    body = tmp_path / "rows.jsonl"
    body.write_text('{"a": 1}\n{"a": 2}\n')
    plan = PLAN | {"method": "POST", "headers": [["Accept-Language", "de"]]}
    tests = [started(cast, now, key=key, plan=plan, body=body) for key in ("one", "two")]
    digits = hashlib.sha256(body.read_bytes()).hexdigest()
    assert [(test.plan["method"], test.plan["headers"], test.plan["body"]) for test in tests] == [
        ("POST", [["Accept-Language", "de"]], f"{digits}.jsonl")
    ] * 2
    with stored_files.opened(digest=f"sha256:{digits}", now=now) as kept:
        assert kept.read() == body.read_bytes()
    assert storages["artifacts"].listdir(f"sha256/{digits[:2]}")[1] == [digits], "the same body is kept once"


@pytest.mark.parametrize(
    "header",
    [
        ["Authorization", "Bearer s3cr3t-t0ken-1"],
        ["Cookie", "session=1"],
        ["X-Api-Key", "k-17-q"],
        ["X-Tenant", "acme-17"],
        ["User-Agent", "Bearer s3cr3t-t0ken-1"],
        ["Accept", "a\r\nAuthorization: b"],
        ["Host", "elsewhere"],
    ],
)
def test_what_may_be_a_secret_is_refused_and_never_kept(cast: Cast, now: datetime, header: list[str]) -> None:
    before = snapshot()
    with pytest.raises(Invalid) as refused:
        started(cast, now, plan=PLAN | {"headers": [header]})
    assert (refused.value.field, header[1] in refused.value.reason) == ("header", False)
    assert snapshot() == before


def test_bodies_that_cannot_be_sent_or_are_too_large_are_refused(
    cast: Cast, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = tmp_path / "rows.jsonl"
    for text, words in (("{", "not valid JSON"), ("", "contains no body"), ('{"a": 1}', "at most 5 bytes")):
        body.write_text(text)
        monkeypatch.setattr(load_tests, "WORKERS_BODY_BYTES_MAX", 5)
        with pytest.raises(Invalid, match=words):
            started(cast, now, plan=PLAN | {"method": "POST"}, body=body)
    assert not LoadTest.objects.exists()
    monkeypatch.undo()
    plain = tmp_path / "rows.txt"
    plain.write_text("one")
    assert (
        started(cast, now, plan=PLAN | {"method": "PUT"}, body=plain)
        .plan["body"]
        .endswith(hashlib.sha256(b"one").hexdigest())
    )
