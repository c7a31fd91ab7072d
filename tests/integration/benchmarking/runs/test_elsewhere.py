"""Workers on other machines through the API: a run is claimed, fetched, renewed and ended; liars move nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from benchmarking.runs.actions import runs, workers
from benchmarking.runs.models import Run
from benchmarking.runs.queries.runs import describe
from governance.audit.models import AuditEvent
from governance.findings.models import Finding
from governance.inventory.actions import stored_files
from governance.inventory.models import ModelVersion
from governance.jobs import actions as jobs
from governance.jobs.kinds import kind_of
from governance.jobs.models import Due, OutboxMessage
from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.people.domain.scopes import TokenScope
from tests.factories.models import make_dataset, make_version, onnx_bytes
from tests.factories.people import Cast
from tests.factories.workers import BASE, Elsewhere, make_worker, measured
from tests.standstill import everything
from weighbridge.client.worker.measurement import RunOrder
from weighbridge.client.worker.statement import sign_statement, statement_of
from weighbridge.core import attestation
from weighbridge.core.canonical import digest_of
from weighbridge.measure.conditions.manifest import seal_manifest

PLAN = {"scenario": "SingleStream", "min_samples": 700}


def queue(version: ModelVersion, key: str = "r", plan: dict[str, Any] = PLAN, **fields: Any) -> Run:
    by, now = version.registered_by, timezone.now()
    given = {"dataset": None, "asked_for": "MRR-2026-0001"} | fields
    return runs.queue(key=key, version=version, plan=plan, by=by, now=now, **given)


@pytest.fixture
def rack(cast: Cast, now: datetime) -> Elsewhere:
    return make_worker(cast=cast, now=now)


@pytest.fixture
def run(version: ModelVersion) -> Run:
    return queue(version)


@pytest.fixture
def order(rack: Elsewhere, run: Run) -> RunOrder:
    return rack.order(at=timezone.now())


def lapse(run: Run) -> None:
    """The lease ended a moment ago, as after a silence that is longer than it."""
    Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(milliseconds=1))


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_run_goes_the_whole_way(rack: Elsewhere, run: Run, order: RunOrder, version: ModelVersion) -> None:
    own = {"name": "rack-7", "queue": "cpu", "key_id": rack.worker.key_id}
    assert rack.client.get(BASE).json() == own | {"is_run_waiting": False}
    assert (order.run, order.key, order.lease, order.lease_s) == (run.pk, "r", 1, 20.0)
    assert (order.measurement.model, order.measurement.data, order.measurement.needs_wall) == (version.digest, "", True)
    answer = rack.step(order, "renew", progress=0.25, phase="measuring")
    assert (answer.status_code, answer.json()["state"]) == (200, "running")
    assert rack.client.get(f"{BASE}runs/{run.pk}/", {"lease": order.lease}).json()["state"] == "running"
    run.refresh_from_db()
    assert (run.progress, run.phase) == (0.25, "measuring")
    file = rack.client.get(f"{BASE}runs/{run.pk}/files/{version.digest}/", {"lease": order.lease})
    assert b"".join(file.streaming_content) == onnx_bytes()
    result = measured(order, at=timezone.now())
    assert rack.send(order, result).json() == {"id": run.pk, "state": "done", "lease_until": None}
    run.refresh_from_db()
    assert (run.state, run.result, run.result_digest, run.verdict) == ("done", result, digest_of(result), "valid")
    assert attestation.verify(run.signed_result, public_key_pem=rack.worker.public_key)
    view = describe(run)
    assert (view.worker, view.worker_machine, view.worker_key) == ("rack-7", "EPYC 9354, 64 GB", rack.worker.key_id)
    done = AuditEvent.objects.get(kind="run.done")
    assert (done.actor, done.details["worker"], done.details["key_id"]) == (
        rack.account.username,
        "rack-7",
        rack.worker.key_id,
    )
    assert OutboxMessage.objects.get(kind="run.finished").payload == {"run_id": run.pk}
    assert rack.claim(at=timezone.now()).json() == {"order": None}


def test_a_doubled_post_has_one_effect(rack: Elsewhere, run: Run, order: RunOrder) -> None:
    """As after a restart of the server, when the answer was lost but the work was done."""
    result = measured(order, at=timezone.now())
    first, second = rack.send(order, result), rack.send(order, result)
    assert first.json() == second.json()
    assert AuditEvent.objects.filter(kind="run.done").count() == 1
    assert OutboxMessage.objects.filter(kind="run.finished").count() == 1
    before = everything()
    other = rack.send(order, measured(order, at=timezone.now(), verdict={"status": "indicative", "reasons": []}))
    assert code_of(other) == (409, "lease_lost")
    assert everything() == before


@pytest.mark.parametrize(
    ("step", "fields", "state"),
    [
        ("failure", {"reason": "It crashed."}, "failed"),
        ("hand-back", {"reason": "No room.", "is_stopped": False}, "queued"),
    ],
)
def test_a_doubled_end_has_one_effect(
    rack: Elsewhere, run: Run, order: RunOrder, step: str, fields: dict[str, Any], state: str
) -> None:
    begun_at = timezone.now()
    assert rack.step(order, step, **fields).json()["state"] == state
    before = everything()
    assert rack.step(order, step, **fields).json()["state"] == state
    assert everything() == before
    run.refresh_from_db()
    assert (run.error, run.attempts) == (fields["reason"], 1)
    assert (run.next_attempt_at > begun_at) is (state == "queued")


def test_a_stopped_worker_uses_up_no_attempt(rack: Elsewhere, run: Run, order: RunOrder) -> None:
    assert rack.step(order, "hand-back", reason="Stopped\x1b[2J.", is_stopped=True).status_code == 200
    run.refresh_from_db()
    assert (run.state, run.attempts, run.error, run.lease_until) == ("queued", 0, "Stopped [2J.", None)
    again = rack.order(at=timezone.now())
    assert (again.run, again.lease) == (run.pk, 2)
    kinds = list(AuditEvent.objects.filter(subject="r").order_by("position").values_list("kind", flat=True))
    assert kinds == ["run.queued", "run.claimed", "run.handed_back", "run.claimed"]


def test_a_lapsed_lease_neither_renews_nor_posts(rack: Elsewhere, run: Run, order: RunOrder) -> None:
    lapse(run)
    before = everything()
    result = measured(order, at=timezone.now())
    for answer in (
        rack.step(order, "renew", progress=0.5, phase=""),
        rack.send(order, result),
        rack.step(order, "failure", reason="It crashed."),
        rack.step(order, "hand-back", reason="No room."),
        rack.client.get(f"{BASE}runs/{run.pk}/", {"lease": order.lease}),
        rack.client.get(f"{BASE}runs/{run.pk}/files/{order.measurement.model}/", {"lease": order.lease}),
    ):
        assert code_of(answer) == (409, "lease_lost")
    assert everything() == before


def test_another_worker_takes_a_lapsed_run_and_the_first_one_is_too_late(
    cast: Cast, rack: Elsewhere, run: Run, order: RunOrder, now: datetime
) -> None:
    other = make_worker(cast=cast, now=now, name="rack-8")
    assert other.claim(at=timezone.now()).json() == {"order": None}
    lapse(run)
    taken = other.order(at=timezone.now())
    assert (taken.run, taken.lease) == (run.pk, 2)
    before = everything()
    late, result = rack.send(order, measured(order, at=timezone.now())), measured(taken, at=timezone.now())
    assert late.status_code == 404
    stolen = sign_statement(statement_of(taken, result), private_key_pem=rack.key_pem)
    assert code_of(other.send(taken, result, envelope=stolen)) == (400, "bad_signature")
    assert rack.send(taken, result).status_code == 404
    assert everything() == before
    assert other.send(taken, result).status_code == 200
    assert describe(Run.objects.get()).worker == "rack-8"


def test_a_worker_of_the_server_takes_a_lapsed_run_and_the_page_names_no_other(
    rack: Elsewhere, run: Run, order: RunOrder, now: datetime
) -> None:
    lapse(run)
    claimed = jobs.claim(model=Run, pk=run.pk, now=timezone.now())
    assert claimed is not None
    result = measured(order, at=timezone.now())
    assert code_of(rack.send(order, result)) == (409, "lease_lost")
    assert runs.finish(run=claimed, result=result, now=timezone.now())
    assert describe(Run.objects.get()).worker == ""


def test_a_canceled_run_is_said_so(rack: Elsewhere, run: Run, order: RunOrder, version: ModelVersion) -> None:
    jobs.cancel(row=run, by=version.registered_by, now=timezone.now())
    answer = rack.step(order, "renew", progress=0.5, phase="")
    assert (code_of(answer), answer.json()["detail"]) == ((409, "lease_lost"), f"Run {run.pk} was canceled.")
    assert code_of(rack.send(order, measured(order, at=timezone.now()))) == (409, "lease_lost")
    assert Run.objects.get().result is None


def test_a_worker_holds_one_run_and_a_killed_one_waits_for_its_own_lease(
    rack: Elsewhere, run: Run, order: RunOrder, version: ModelVersion
) -> None:
    queue(version, "second")
    before = everything()
    for _ in range(3):
        assert code_of(rack.claim(at=timezone.now())) == (409, "holds_run")
    assert everything() == before
    lapse(run)
    assert rack.order(at=timezone.now()).run == run.pk


def test_a_run_that_another_worker_takes_meanwhile_is_passed_over(
    rack: Elsewhere, run: Run, version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the queue and the claim, which no lock joins."""
    second, find = queue(version, "second"), Run.due

    def due(**asked: Any) -> list[Due]:
        rows = find(**asked)
        assert Run.claim(pk=run.pk, now=timezone.now(), lease=timedelta(minutes=1)) is not None
        return rows

    monkeypatch.setattr(Run, "due", due)
    assert rack.order(at=timezone.now()).run == second.pk


def test_a_claim_whose_answer_was_lost_takes_one_run(rack: Elsewhere, run: Run, version: ModelVersion) -> None:
    queue(version, "second")
    at = timezone.now()
    answers = [rack.claim(at=at, HTTP_IDEMPOTENCY_KEY="one").json()["order"]["run"] for _ in range(3)]
    assert answers == [run.pk] * 3
    assert Run.objects.filter(state="claimed").count() == 1


@pytest.mark.parametrize(
    ("off", "words"), [(timedelta(days=1), "24 hours ahead of"), (-timedelta(minutes=6), "6 minutes behind")]
)
def test_a_worker_with_a_wrong_clock_gets_no_run(rack: Elsewhere, run: Run, off: timedelta, words: str) -> None:
    assert rack.client.get(BASE).json()["is_run_waiting"] is True
    before = everything()
    answer = rack.claim(at=timezone.now() + off)
    assert (code_of(answer), words in answer.json()["detail"]) == ((409, "clock"), True)
    assert everything() == before


def test_only_the_files_of_the_own_run_are_given_out(
    cast: Cast, rack: Elsewhere, run: Run, version: ModelVersion, now: datetime
) -> None:
    other = make_version(by=version.registered_by, now=now, slug="other", seed=5)
    order = rack.order(at=timezone.now())
    data = make_dataset(by=version.registered_by, now=now)
    for digest in (other.digest, data.digest, "sha256:" + "0" * 64, "..%2f..%2fetc%2fpasswd", "x" * 300):
        answer = rack.client.get(f"{BASE}runs/{run.pk}/files/{digest}/", {"lease": order.lease})
        assert answer.status_code == 404, digest
    assert rack.client.get(f"{BASE}runs/{run.pk + 1}/files/{version.digest}/", {"lease": 1}).status_code == 404
    assert rack.client.get(f"{BASE}runs/{run.pk}/files/{version.digest}/", {"lease": 2}).status_code == 409
    assert rack.client.get(f"{BASE}runs/{run.pk}/files/{version.digest}/").status_code == 400


def test_a_download_goes_on_where_it_broke_off(rack: Elsewhere, order: RunOrder) -> None:
    def get(value: str) -> Any:
        path = f"{BASE}runs/{order.run}/files/{order.measurement.model}/"
        return rack.client.get(path, {"lease": order.lease}, HTTP_RANGE=value)

    whole = onnx_bytes()
    rest = get("bytes=10-")
    assert (rest.status_code, b"".join(rest.streaming_content)) == (206, whole[10:])
    assert (rest["Content-Range"], rest["Content-Length"]) == (
        f"bytes 10-{len(whole) - 1}/{len(whole)}",
        str(len(whole) - 10),
    )
    assert b"".join(get("bytes=0-").streaming_content) == whole
    for wrong in (f"bytes={len(whole)}-", "bytes=0-5", "bytes=-5", "lines=1-", "bytes=" + "9" * 16 + "-"):
        assert code_of(get(wrong)) == (400, "range"), wrong


def test_a_damaged_file_is_not_given_out(rack: Elsewhere, order: RunOrder, installation: Any) -> None:
    path = installation / "artifacts" / stored_files.name_of(order.measurement.model)
    path.chmod(0o600)
    path.write_bytes(b"other")
    answer = rack.client.get(f"{BASE}runs/{order.run}/files/{order.measurement.model}/", {"lease": order.lease})
    assert code_of(answer) == (409, "file_damaged")
    assert Finding.objects.get().kind == "artifact.damaged"


def test_runs_of_another_queue_and_runs_that_nobody_can_measure(
    cast: Cast, rack: Elsewhere, version: ModelVersion, now: datetime
) -> None:
    """They are passed over: one waits, one fails with its reason, one is tried again later; none blocks the queue."""
    gpu = queue(version, "gpu", PLAN | {"hardware": "gpu"})
    odd = queue(version, "odd", PLAN | {"min_samples": "many"})
    elsewhere = make_version(by=version.registered_by, now=now, slug="other", seed=5)
    ModelVersion.objects.filter(pk=elsewhere.pk).update(stored_as="", uri="s3://models/other.onnx")
    queue(elsewhere, "absent")
    fine = queue(version, "fine")
    assert rack.order(at=timezone.now()).run == fine.pk
    ended = {run.key: (run.state, run.attempts, run.error[:30]) for run in Run.objects.exclude(pk=fine.pk)}
    assert ended == {
        "gpu": ("queued", 0, ""),
        "odd": ("queued", 1, "ValueError: invalid literal fo"),
        "absent": ("failed", 1, "The model file was never uploa"),
    }
    assert make_worker(cast=cast, now=now, name="card", queue="gpu").order(at=timezone.now()).run == gpu.pk
    assert odd.pk != gpu.pk


def test_who_may_call(
    cast: Cast, rack: Elsewhere, run: Run, api: Callable[[User | None], APIClient], as_: Callable[[User], Client]
) -> None:
    """Nobody else's token, no browser, and nothing else with this token."""
    before = everything()
    body = {"at": timezone.now().isoformat()}
    for person in cast.everybody():
        assert api(person).post(f"{BASE}take/", body, format="json").status_code == 403
        assert as_(person).get(BASE).status_code == 403
    assert code_of(as_(rack.account).get(BASE)) == (403, "scope")
    assert api(None).post(f"{BASE}take/", body, format="json").status_code == 401
    for path in ("/api/v1/requests/", f"/api/v1/runs/{run.pk}/", "/api/v1/workers/", "/api/v1/gate/", "/metrics"):
        assert rack.client.get(path).status_code == 403, path
    assert rack.client.post(f"/api/v1/runs/{run.pk}/cancel/").status_code == 403
    changed = {name for name, value in everything().items() if before[name] != value}
    assert changed <= {"people_apitoken", "audit_auditevent", "django_session", "auth_user", "site_answeredpost"}
    assert Run.objects.get().state == "queued"


def test_an_account_without_a_worker_or_with_a_role_gets_nothing(cast: Cast, rack: Elsewhere, run: Run) -> None:
    now = timezone.now()
    token = people.create_token(user=cast.author, valid_days=1, scope=TokenScope.WORKER, by=None, now=now)
    stranger = APIClient()
    stranger.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert code_of(stranger.get(BASE)) == (403, "not_a_worker")
    people.grant_role(user=rack.account, role=Role.REVIEWER, by=None, now=now)
    assert code_of(rack.claim(at=now)) == (403, "worker_has_roles")


def test_a_retired_worker_is_refused_at_once_and_its_run_goes_on(
    cast: Cast, rack: Elsewhere, run: Run, order: RunOrder, now: datetime
) -> None:
    workers.retire(worker=rack.worker, reason="Its key was copied.", by=cast.approver, now=now)
    before = everything()
    assert code_of(rack.send(order, measured(order, at=timezone.now()))) == (403, "not_a_worker")
    assert code_of(rack.step(order, "renew", progress=0.1, phase="")) == (403, "not_a_worker")
    assert everything() == before
    lapse(run)
    assert make_worker(cast=cast, now=now, name="rack-8").order(at=timezone.now()).run == run.pk


def test_a_run_that_kills_every_worker_is_dead_in_the_end(rack: Elsewhere, run: Run, order: RunOrder) -> None:
    for _ in range(2):
        lapse(run)
        rack.order(at=timezone.now())
    lapse(run)
    assert rack.claim(at=timezone.now()).json() == {"order": None}
    jobs.tick(kind=kind_of(Run), now=timezone.now())
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("dead", 3)


LIES: dict[str, Callable[[RunOrder, dict[str, Any]], object]] = {
    "another model": lambda order, result: seal(result, model={"digest": "sha256:" + "b" * 64}),
    "weights beside": lambda order, result: seal(result, model={"digest": order.measurement.model, "weights": {}}),
    "other data": lambda order, result: seal(result, data={"digest": "sha256:" + "b" * 64}),
    "other settings": lambda order, result: seal(result, settings={}),
    "no bubblewrap": lambda order, result: seal(result, isolation="none"),
    "an open seal": lambda order, result: result["manifest"].update(isolation="bubblewrap too"),
    "another schema": lambda order, result: result.update(schema="weighbridge.load/1"),
    "a partial result": lambda order, result: result.update(is_partial=True),
    "no verdict": lambda order, result: result.pop("verdict"),
    "an own verdict": lambda order, result: result["verdict"].update(status="excellent"),
    "no reasons": lambda order, result: result["verdict"].update(reasons=[{"code": 1}]),
    "no numbers": lambda order, result: result["metrics"]["latency_p95_ms"].update(value="fast"),
    "a long run": lambda order, result: result["run"].update(duration_s=9_999),
    "no duration": lambda order, result: result.update(run=None),
    "an old time": lambda order, result: result.update(measured_at="2020-01-01T00:00:00+00:00"),
    "a time without a zone": lambda order, result: result.update(measured_at="2030-01-01T00:00:00"),
    "no time": lambda order, result: result.pop("measured_at"),
    "metrics as a list": lambda order, result: result.update(metrics=[]),
}


def seal(result: dict[str, Any], **fields: Any) -> None:
    result["manifest"] = seal_manifest(result["manifest"] | fields)


@pytest.mark.parametrize("lie", LIES)
def test_a_result_that_does_not_fit_is_refused_and_the_run_is_not_lost(
    rack: Elsewhere, run: Run, order: RunOrder, lie: str
) -> None:
    result = measured(order, at=timezone.now())
    LIES[lie](order, result)
    before = everything()
    assert code_of(rack.send(order, result)) == (400, "result_refused")
    assert everything() == before
    assert rack.send(order, measured(order, at=timezone.now())).status_code == 200


@pytest.mark.parametrize("stated", ["run", "lease", "model", "plan", "data", "result"])
def test_a_statement_about_something_else_is_refused(rack: Elsewhere, run: Run, order: RunOrder, stated: str) -> None:
    """Another run, an old attempt, another model, plan, data or result; signed with the right key."""
    result = measured(order, at=timezone.now())
    digest = "sha256:" + "c" * 64
    wrong = {"run": "other", "lease": 9}.get(stated, digest)
    envelope = sign_statement(replace(statement_of(order, result), **{stated: wrong}), private_key_pem=rack.key_pem)
    before = everything()
    assert code_of(rack.send(order, result, envelope=envelope)) == (400, "other_run")
    assert everything() == before


def test_an_old_result_is_not_replayed(rack: Elsewhere, run: Run, order: RunOrder, version: ModelVersion) -> None:
    """The same model with the same plan: the old statement names the old run."""
    result = measured(order, at=timezone.now())
    old = sign_statement(statement_of(order, result), private_key_pem=rack.key_pem)
    assert rack.send(order, result).status_code == 200
    queue(version, "again")
    again = rack.order(at=timezone.now())
    before = everything()
    assert code_of(rack.send(again, result, envelope=old)) == (400, "other_run")
    assert everything() == before


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"envelope": "{"}, (400, "invalid")),
        ({"envelope": "[]"}, (400, "invalid")),
        ({"envelope": "x" * 30_000}, (400, "invalid")),
        ({"envelope": '{"payloadType": NaN}'}, (400, "invalid")),
        ({"lease": "soon"}, (400, "invalid")),
        ({"lease": 10**12}, (400, "invalid")),
    ],
)
def test_a_form_that_is_none(rack: Elsewhere, order: RunOrder, fields: dict[str, Any], code: tuple[int, str]) -> None:
    before = everything()
    assert code_of(rack.send(order, measured(order, at=timezone.now()), **fields)) == code
    assert everything() == before
