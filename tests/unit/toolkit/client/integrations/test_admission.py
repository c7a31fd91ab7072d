"""The webhook of a cluster: it judges every artifact that an object names, over real HTTP and TLS, and fails closed."""

import http.client
import json
import socket
import ssl
import threading
from contextlib import contextmanager, suppress

import pytest

from tests.unit.toolkit.certificates import certificate_in
from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.client.feed.feeds import ABSENT, ALLOWED, HOUR, NOW, REVOKED, written
from weighbridge.client.feed.mirror import FeedMirror
from weighbridge.client.integrations.admission.review import ANNOTATION, reviewed
from weighbridge.client.integrations.admission.server import BYTES_MAX, AdmissionServer
from weighbridge.core.errors import Invalid

OTHER_NAME = {"other/annotation": ALLOWED}


def pod(model=None, images=("registry.test/app@" + ALLOWED,)):
    annotations = {ANNOTATION: model} if model is not None else OTHER_NAME
    containers = [{"name": f"c{place}", "image": image} for place, image in enumerate(images)]
    return {"kind": "Pod", "metadata": {"annotations": annotations}, "spec": {"containers": containers}}


def templated(inner):
    return {"metadata": {}, "spec": {"template": inner}}


def review_of(document, operation="CREATE", **changes):
    request = {"uid": "u-1", "operation": operation, "object": document} | changes
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


@pytest.fixture
def mirror(tmp_path):
    return FeedMirror(written(tmp_path), tmp_path / "key.pem", lambda: NOW)


def judged(mirror, review, *, needs_images=False):
    return reviewed(
        review, ask=lambda digest: mirror.answer(digest=digest, environment="prod"), needs_images=needs_images
    )["response"]


ALLOWED_OBJECTS = {
    "a pod": (pod(ALLOWED), False),
    "several models": (pod(f"{ALLOWED}, {ALLOWED}"), False),
    "a deployment": (templated(pod(ALLOWED)), False),
    "a cron job": ({"spec": {"jobTemplate": templated(pod(ALLOWED))}}, False),
    "images by digest": (pod(), True),
    "both": (pod(ALLOWED), True),
}
DENIED_OBJECTS = {
    "revoked": (pod(REVOKED), False, "is refused"),
    "one of two": (pod(f"{ALLOWED},{REVOKED}"), False, REVOKED),
    "unknown": (pod(ABSENT), False, "no entry"),
    "no annotation": (pod(), False, "name the artifacts"),
    "empty": (pod(""), False, "is not a digest"),
    "a tag": (pod("model:latest"), False, "is not a digest"),
    "another alphabet": (pod(ALLOWED.upper()), False, "is not a digest"),
    "annotation that is no text": ({"metadata": {"annotations": {ANNOTATION: [ALLOWED]}}}, False, "is not a digest"),
    "image by tag": (pod(ALLOWED, ["app:latest"]), True, "app:latest is not a digest"),
    "one image by tag": (pod(ALLOWED, [f"a@{ALLOWED}", f"b@{ALLOWED}x"]), True, "is not a digest"),
    "revoked image": (pod(ALLOWED, [f"a@{REVOKED}"]), True, "is refused"),
    "hidden in an init container": (
        pod(ALLOWED) | {"spec": {"initContainers": [{"image": f"a@{REVOKED}"}]}},
        True,
        "is refused",
    ),
    "a container that is none": (pod(ALLOWED) | {"spec": {"containers": ["x"]}}, True, "An empty text"),
    "one of two templates": (pod(ALLOWED) | templated(pod(REVOKED)), False, "is refused"),
    "odd": ({"metadata": 5, "spec": "x"}, False, "name the artifacts"),
    "none": (None, False, "only objects"),
}


@pytest.mark.parametrize("name", ALLOWED_OBJECTS)
@pytest.mark.parametrize("operation", ["CREATE", "UPDATE"])
def test_what_the_feed_allows_is_admitted(mirror, name, operation):
    document, needs_images = ALLOWED_OBJECTS[name]
    found = judged(mirror, review_of(document, operation), needs_images=needs_images)
    assert found == {"uid": "u-1", "allowed": True}


@pytest.mark.parametrize("name", DENIED_OBJECTS)
def test_anything_else_is_denied_with_the_reason(mirror, name):
    document, needs_images, words = DENIED_OBJECTS[name]
    found = judged(mirror, review_of(document), needs_images=needs_images)
    assert (found["allowed"], found["status"]["code"], words in found["status"]["message"]) == (False, 403, True)


def test_a_stale_or_missing_feed_denies(mirror):
    mirror.now = lambda: NOW + HOUR
    assert "cannot tell" in judged(mirror, review_of(pod(ALLOWED)))["status"]["message"]
    mirror.path.unlink()
    assert not judged(mirror, review_of(pod(ALLOWED)))["allowed"]


@pytest.mark.parametrize("operation", ["DELETE", "CONNECT", None])
def test_an_operation_that_is_not_judged_is_denied(mirror, operation):
    assert not judged(mirror, review_of(pod(ALLOWED), operation))["allowed"]


@pytest.mark.parametrize(
    "review",
    [
        {},
        review_of(pod(ALLOWED)) | {"apiVersion": "admission.k8s.io/v1beta1"},
        review_of(pod(ALLOWED)) | {"kind": "Pod"},
        review_of(pod(ALLOWED)) | {"request": []},
        review_of(pod(ALLOWED), uid=""),
        review_of(pod(ALLOWED), uid=5),
    ],
)
def test_what_is_no_review_has_no_answer(mirror, review):
    with pytest.raises(Invalid):
        judged(mirror, review)


@contextmanager
def serving(mirror, tls=None):
    server = AdmissionServer(("127.0.0.1", 0), lambda review: {"response": judged(mirror, review)}, tls=tls)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def call(connection, method, path, body=None, headers=None):
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def test_it_is_asked_over_http(mirror):
    with serving(mirror) as port:

        def post(content, **headers):
            return call(http.client.HTTPConnection("127.0.0.1", port), "POST", "/", content, headers)

        allowed = post(json.dumps(review_of(pod(ALLOWED))))
        assert allowed == (200, {"response": {"uid": "u-1", "allowed": True}})
        assert post(json.dumps(review_of(pod(REVOKED))))[1]["response"]["allowed"] is False
        for content in (b"", b"{", b"[]", b'{"kind": 1, "kind": 2}', b"\xff", json.dumps({"request": {}}).encode()):
            assert post(content)[0] == 400
        for length in ("", "-1", "ten", str(BYTES_MAX + 1)):
            assert post(b"", **{"Content-Length": length})[0] == 400
        assert call(http.client.HTTPConnection("127.0.0.1", port), "GET", "/healthz") == (200, {})
        assert call(http.client.HTTPConnection("127.0.0.1", port), "GET", "/other")[0] == 404


@pytest.fixture
def tls(tmp_path):
    """A folder as a cluster mounts it."""
    (tmp_path / "tls").mkdir()
    return certificate_in(tmp_path / "tls")


def test_it_speaks_tls_and_a_client_that_stalls_delays_nobody(mirror, tls):
    context = ssl.create_default_context(cafile=str(tls / "tls.crt"))
    with serving(mirror, tls) as port, socket.create_connection(("127.0.0.1", port)):  # says nothing
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=30)
        status, found = call(connection, "POST", "/", json.dumps(review_of(pod(ALLOWED))))
        assert (status, found["response"]["allowed"]) == (200, True)
        connection.close()
        with socket.create_connection(("127.0.0.1", port)) as clear:
            clear.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
            with suppress(ConnectionResetError):
                assert not clear.recv(100).startswith(b"HTTP")


def test_it_does_not_listen_in_the_clear_to_other_machines(tmp_path):
    feed = written(tmp_path)
    arguments = ("admission", "--env", "prod", "--feed", feed, "--public-key", tmp_path / "key.pem")
    done = weighbridge(*arguments, "--host", "0.0.0.0")
    assert (done.exit_code, "listens on this machine alone" in done.stderr) == (2, True)
    done = weighbridge(*arguments, "--tls", tmp_path)
    assert (done.exit_code, "cannot be used" in done.stderr) == (2, True)


def test_the_command_serves_until_it_is_stopped(tmp_path, monkeypatch):
    feed, answers = written(tmp_path), []
    monkeypatch.setattr("time.time", NOW.timestamp)

    def serve(server, **_):
        answers.append(server.review(review_of(pod(ALLOWED)))["response"]["allowed"])
        raise KeyboardInterrupt

    monkeypatch.setattr(AdmissionServer, "serve_forever", serve)
    arguments = ("--env", "prod", "--feed", feed, "--public-key", tmp_path / "key.pem", "--port", 0)
    done = weighbridge("admission", *arguments, "--max-age", 60)
    assert (done.exit_code, answers) == (130, [True])
    assert done.stdout.startswith("listening at 127.0.0.1:")
