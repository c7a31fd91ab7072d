"""The parts of a worker: statements, the cache, back-off, downloads, and what it measures."""

import dataclasses
import os
from datetime import UTC, datetime

import pytest

from tests.refusals import has_code
from weighbridge.client.server import ServerRefused, _chunks
from weighbridge.client.worker import measurement
from weighbridge.client.worker.backoff import wait_s
from weighbridge.client.worker.cache import FileCache, MachineFault
from weighbridge.client.worker.link import WorkerIdentity, WorkerLink, is_final
from weighbridge.client.worker.measurement import Measurement, RunOrder, execute, read_order, with_labels_checked
from weighbridge.client.worker.statement import RunStatement, checked_envelope, sign_statement, statement_of
from weighbridge.core import attestation
from weighbridge.core.canonical import digest_of
from weighbridge.core.converter import to_document
from weighbridge.core.errors import Invalid, WrongState
from weighbridge.measure.conditions.model_file import digest_of_file
from weighbridge.measure.scenarios import Offline, ProfileSettings, SingleStream
from weighbridge.optimization.alternatives import AlternativesWanted, Rival
from weighbridge.systems.sandbox.process import RunFailed

A, B, C = ("sha256:" + letter * 64 for letter in "abc")
PROFILE = Measurement(
    model=A,
    suffix=".onnx",
    system="onnx",
    data=B,
    is_governed=True,
    needs_wall=True,
    isolation="",
    wall_s=900,
    memory_mb=8_192,
    settings=ProfileSettings(scenario=SingleStream(min_samples=700)),
)
WANTED = AlternativesWanted(
    variants=("int8-dynamic",), max_quality_drop=0.01, calibration_rows=8, rivals=(Rival("other", 7, C),)
)
ALTERNATIVES = dataclasses.replace(PROFILE, settings=None, wanted=WANTED)
ORDER = RunOrder(run=4, key="r", lease=2, lease_s=20.0, measurement=PROFILE)
RESULT = {"schema": "weighbridge.result/1", "value": 1.5}


@pytest.fixture(scope="module")
def key_pem():
    return attestation.new_key_pem()


@pytest.fixture
def cache(tmp_path):
    cache = FileCache(tmp_path / "cache", bytes_max=10)
    yield cache
    cache.close()


# -- orders --


OFFLINE = dataclasses.replace(PROFILE, settings=ProfileSettings(scenario=Offline()))


@pytest.mark.parametrize("measured", [PROFILE, ALTERNATIVES, OFFLINE])
def test_an_order_survives_the_way(measured):
    order = dataclasses.replace(ORDER, measurement=measured)
    again = read_order(to_document(order))
    assert (again, again.measurement.digest) == (order, measured.digest)


@pytest.mark.parametrize("document", [{}, {"run": "4"}, to_document(ORDER) | {"extra": 1}])
def test_another_order_is_refused(document):
    with pytest.raises(Invalid, match="The server may have another version"):
        read_order(document)


def test_the_files_of_a_measurement():
    assert PROFILE.files == (A, B)
    assert dataclasses.replace(PROFILE, data="").files == (A,)
    assert ALTERNATIVES.files == (A, B, C)


# -- statements --


def test_a_statement_is_about_one_run(key_pem):
    stated = statement_of(ORDER, RESULT)
    assert stated == RunStatement(run="r", lease=2, model=A, plan=PROFILE.digest, data=B, result=digest_of(RESULT))
    envelope = sign_statement(stated, private_key_pem=key_pem)
    public = attestation.public_pem(key_pem)
    assert checked_envelope(envelope | {"note": "mine"}, expected=stated, public_key_pem=public) == envelope
    for field, wrong in (("run", "s"), ("lease", 3), ("plan", C), ("data", ""), ("result", C)):
        other = dataclasses.replace(stated, **{field: wrong})
        with pytest.raises(Invalid, match=f"about another {field} than", check=has_code("other_run")):
            checked_envelope(envelope, expected=other, public_key_pem=attestation.public_pem(key_pem))
    expected = dataclasses.replace(stated, model=C)
    with pytest.raises(Invalid, match="about something else"):
        checked_envelope(envelope, expected=expected, public_key_pem=attestation.public_pem(key_pem))


def test_another_key_and_another_kind_of_statement_are_refused(key_pem):
    stated, public = statement_of(ORDER, RESULT), attestation.public_pem(key_pem)
    other = sign_statement(stated, private_key_pem=attestation.new_key_pem())
    with pytest.raises(Invalid, check=has_code("bad_signature")):
        checked_envelope(other, expected=stated, public_key_pem=public)
    own = sign_statement(stated, private_key_pem=key_pem)
    both = own | {"signatures": [*own["signatures"], *other["signatures"]]}
    with pytest.raises(Invalid, match="must have one signature", check=has_code("not_dsse")):
        checked_envelope(both, expected=stated, public_key_pem=public)
    odd = attestation.sign({"_type": attestation.STATEMENT_TYPE, "predicate": []}, private_key_pem=key_pem)
    with pytest.raises(Invalid, check=has_code("other_run")):
        checked_envelope(odd, expected=stated, public_key_pem=public)


# -- back-off --


def test_waits_grow_to_half_a_minute_and_are_spread():
    assert [wait_s(failures, chance=1.0) for failures in (0, 1, 2, 3, 7, 8, 10_000)] == [0.5, 0.5, 1, 2, 30, 30, 30]
    assert (wait_s(3, chance=0.0), wait_s(3, chance=0.5)) == (1.0, 1.5)


# -- the cache --


def put(cache, content):
    path = cache.folder / "made"
    path.write_bytes(content)
    digest = digest_of_file(path)
    path.replace(cache.partial(digest))
    return digest


def test_a_file_is_kept_copied_and_checked_again(cache, tmp_path):
    digest = put(cache, b"12345")
    assert cache.keep(digest).read_bytes() == b"12345"
    assert cache.copy(digest, tmp_path / "copy").read_bytes() == b"12345"
    cache.find(digest).write_bytes(b"54321")
    with pytest.raises(MachineFault, match="was changed on this machine"):
        cache.copy(digest, tmp_path / "other")
    assert not (tmp_path / "other").exists()
    assert cache.find(digest) is None
    assert cache.find(digest) is None


def test_a_complete_download_of_a_killed_worker_is_kept(cache):
    digest = put(cache, b"12345")
    assert cache.find(digest).read_bytes() == b"12345"
    assert not cache.partial(digest).exists()


def test_other_bytes_are_deleted(cache):
    cache.partial(A).write_bytes(b"x")
    with pytest.raises(MachineFault, match=f"instead of {A}"):
        cache.keep(A)
    assert list(cache.folder.glob("*.part")) == []


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", A.upper(), f"{A}/.."])
def test_a_name_that_is_no_digest_reaches_no_file(cache, digest):
    with pytest.raises(Invalid, check=has_code("digest")):
        cache.find(digest)


def test_the_least_recently_used_files_go_first(cache):
    kept = [cache.keep(put(cache, content)) for content in (b"1111", b"2222", b"3333")]
    for age, path in enumerate(kept):
        os.utime(path, (age, age))
    cache.trim()
    assert [path.exists() for path in kept] == [False, True, True]
    assert (cache.folder / ".lock").exists()


def test_a_folder_is_of_one_worker_and_is_cleared_of_its_last_run(tmp_path):
    first = FileCache(tmp_path, bytes_max=1)
    with pytest.raises(WrongState, match="give this one its own"):
        FileCache(tmp_path, bytes_max=1)
    (tmp_path / "run-x").mkdir()
    (tmp_path / "run-x" / "model.onnx").touch()
    first.close()
    second = FileCache(tmp_path, bytes_max=1)
    assert not (tmp_path / "run-x").exists()
    second.close()


# -- the link --


def test_who_the_worker_is(desk):
    link = WorkerLink(desk.server)
    desk.answers["GET", "/base/api/v1/worker/"] = (200, {"name": "rack-7", "queue": "cpu", "key_id": A})
    assert link.identify() == WorkerIdentity(name="rack-7", queue="cpu", key_id=A, is_run_waiting=False)
    desk.answers["GET", "/base/api/v1/worker/"] = (200, {"name": "rack-7", "queue": 3})
    with pytest.raises(ServerRefused, match="does not describe this worker"):
        link.identify()


def test_which_answers_are_final():
    statuses = {
        status: is_final(ServerRefused("x", http_status=status)) for status in (0, 400, 403, 409, 429, 500, 503)
    }
    assert statuses == {0: False, 400: True, 403: True, 409: True, 429: False, 500: False, 503: False}


def test_an_answer_without_an_order_is_no_work(desk):
    desk.answers["POST", "/base/api/v1/worker/take/"] = (200, {"order": None})
    at = datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert WorkerLink(desk.server).claim(at=at, key="k") is None
    assert desk.asked[0][3] == b'{"at": "2026-07-01T10:00:00Z"}'


# -- downloads --


def test_a_download_and_its_continuation(desk, tmp_path):
    target = tmp_path / "file"
    desk.answers["GET", "/base/f/"] = [(200, b"0123"), (206, b"45"), (200, b"anew")]
    for content in (b"0123", b"012345", b"anew"):
        desk.server.download("/f/", target, bytes_max=100, lease="2")
        assert target.read_bytes() == content
    assert [headers.get("Range") for _, _, headers, _ in desk.asked] == [None, "bytes=4-", "bytes=6-"]
    assert desk.asked[0][1] == "/base/f/?lease=2"


def test_a_download_that_is_to_stop_keeps_what_came(desk, tmp_path):
    desk.answers["GET", "/base/f/"] = (200, bytes(1 << 18))
    with pytest.raises(ServerRefused, match="was stopped"):
        desk.server.download("/f/", tmp_path / "file", bytes_max=1 << 20, should_stop=lambda: True)
    assert (tmp_path / "file").stat().st_size == 1 << 16


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        ((409, {"detail": "The lease is lost."}), 409, "The lease is lost"),
        ((404, b""), 404, "Not Found"),
        ((302, b""), 400, "Bad Request"),
        (None, 0, "does not answer"),
    ],
)
def test_a_download_that_is_refused_leaves_what_was_there(desk, tmp_path, answer, status, words):
    target = tmp_path / "file"
    target.write_bytes(b"01")
    desk.answers["GET", "/base/f/"] = answer
    with pytest.raises(ServerRefused, match=words) as refused:
        desk.server.download("/f/", target, bytes_max=100)
    assert (refused.value.http_status, target.read_bytes()) == (status, b"01")


def test_a_download_that_is_too_large_or_cut_off_stops(desk, tmp_path):
    desk.answers["GET", "/base/f/"] = (200, bytes(3 << 20))
    with pytest.raises(ServerRefused, match="larger than allowed"):
        desk.server.download("/f/", tmp_path / "file", bytes_max=1 << 20)

    class Short:
        length = 4

        def read(self, _):
            return b""

    with pytest.raises(ServerRefused, match="cut off"):
        list(_chunks(Short(), "https://x"))


# -- execution --


def fetch(digest, target):
    target.write_bytes(digest.encode())
    return target


def run_it(measured, tmp_path, **named):
    follow = (lambda *_: None, lambda: False)
    return execute(measured, fetch=fetch, folder=tmp_path, follow=follow, now=lambda: None, **named)


def test_a_profile_is_measured_with_its_limits(tmp_path, monkeypatch):
    seen = {}
    monkeypatch.setattr(measurement, "run_isolated", lambda **named: seen.update(named) or {"metrics": {}})
    assert run_it(PROFILE, tmp_path) == {"metrics": {}}
    assert (seen["model"].name, seen["data"].name, seen["system"]) == ("model.onnx", "data.npz", "onnx")
    assert (seen["limits"].wall_s, seen["limits"].memory_mb, seen["needs_wall"]) == (900, 8_192, True)
    assert seen["settings"] == PROFILE.settings


def test_labels_that_nobody_vouches_for_are_checked(tmp_path, monkeypatch):
    void = []
    monkeypatch.setattr(measurement, "run_isolated", lambda **_: {})
    monkeypatch.setattr(measurement, "with_own_labels_void", lambda result: void.append(result) or {"void": True})
    assert run_it(dataclasses.replace(PROFILE, is_governed=False, data=""), tmp_path) == {"void": True}
    assert void == [{}]


def test_a_weaker_sandbox_repeats_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(measurement, "check_same_isolation", lambda first: pytest.fail(str(first)))
    with pytest.raises(pytest.fail.Exception, match="bubblewrap"):
        run_it(dataclasses.replace(PROFILE, isolation="bubblewrap without network"), tmp_path)


@pytest.mark.parametrize("is_governed", [True, False])
def test_alternatives_are_measured_with_their_rivals(tmp_path, monkeypatch, is_governed):
    seen, document = {}, candidates(accuracy=0.5)
    monkeypatch.setattr(measurement, "require_bubblewrap", lambda *, needs_wall: seen.update(wall=needs_wall))
    monkeypatch.setattr(measurement, "measure_alternatives", lambda wanted, **named: seen.update(named) or document)
    measured = dataclasses.replace(ALTERNATIVES, is_governed=is_governed)
    assert run_it(measured, tmp_path) is document
    assert (seen["wall"], seen["rivals"]["other"].name) == (True, "rival-7.onnx")


def test_alternatives_need_data(tmp_path):
    with pytest.raises(RunFailed, match="this run names none", check=has_code("data_missing")):
        run_it(dataclasses.replace(ALTERNATIVES, data=""), tmp_path)


def candidates(*, accuracy):
    metrics = {} if accuracy is None else {"accuracy": {"value": accuracy, "n": 400}}
    return {"baseline": "fp32", "candidates": [{"name": "fp32", "metrics": metrics}]}


@pytest.mark.parametrize("accuracy", [None, 0.9])
def test_labels_of_other_hands_judge_variants(accuracy):
    assert with_labels_checked(candidates(accuracy=accuracy)) == candidates(accuracy=accuracy)


def test_the_own_answers_judge_nothing():
    with pytest.raises(RunFailed, check=has_code("quality_void")):
        with_labels_checked(candidates(accuracy=1.0))
