"""HTTP as the terminal speaks it, against a real server on loopback."""

import email
import http.client

import pytest

from tests.standins.hostile_http import serving, whole
from weighbridge.client.server import PlatformServer, ServerRefused, Upload


def refusal(call, *arguments, **options):
    with pytest.raises(ServerRefused) as found:
        call(*arguments, **options)
    return found.value.http_status, found.value.reason


def test_a_question_with_its_token(desk):
    desk.answers["GET", "/base/api/x/"] = (200, {"a": 1})
    assert desk.server.get("/api/x/", subject="sha256:ab", env="p&q") == {"a": 1}
    assert desk.server.get("/api/x/") == {"a": 1}
    method, path, headers, _ = desk.asked[0]
    assert (method, path) == ("GET", "/base/api/x/?subject=sha256%3Aab&env=p%26q")
    assert (headers["Authorization"], headers["Accept"]) == ("Token t0ken", "application/json")
    assert desk.asked[1][1] == "/base/api/x/"


def test_a_document_under_a_key(desk):
    desk.answers["POST", "/base/p/"] = (201, {"ref": "R"})
    assert desk.server.post("/p/", {"title": "ü"}, key="k1") == {"ref": "R"}
    _, _, headers, body = desk.asked[0]
    assert (headers["Idempotency-Key"], headers["Content-Type"]) == ("k1", "application/json")
    assert body == b'{"title": "\\u00fc"}'


@pytest.mark.parametrize("file", [True, False])
def test_a_form_is_streamed(desk, tmp_path, file):
    desk.answers["POST", "/base/f/"] = (201, b"")
    path = tmp_path / 'mo"del\n.onnx'
    path.write_bytes(b"\0\1" * 700_000)
    form = Upload({"team": "sö", "slug": "v"}, path if file else None, boundary="b0undary")
    assert form.length == sum(map(len, form.chunks()))
    assert desk.server.upload("/f/", form, key="k") == {}
    _, _, headers, body = desk.asked[0]
    message = email.message_from_bytes(b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body)
    parts = {part.get_param("name", header="content-disposition"): part for part in message.get_payload()}
    assert parts["team"].get_payload(decode=True).decode() == "sö"
    if file:
        assert parts["file"].get_payload(decode=True) == path.read_bytes()
        assert parts["file"].get_filename() == "mo%22del_.onnx"
    else:
        assert set(parts) == {"team", "slug"}


@pytest.mark.parametrize(
    ("status", "content", "words"),
    [
        (403, {"title": "Forbidden", "detail": "Only leads may."}, "refused (403): Only leads may."),
        (
            400,
            {"detail": "See errors.", "errors": [{"field": "title", "detail": "Write one."}, "odd"]},
            "refused (400): See errors. title: Write one.",
        ),
        (400, {"detail": "No unit.", "errors": [{"field": "u", "detail": "No unit."}]}, "refused (400): No unit."),
        (
            400,
            {"detail": "Not valid. env: Write prod.", "errors": [{"field": "env", "detail": "Write prod."}]},
            "refused (400): Not valid. env: Write prod.",
        ),
        (400, {"title": "Bad", "errors": {"x": "y"}}, "refused (400): Bad"),
        (500, b"<html>", "refused (500): Internal Server Error"),
        (302, b"", "refused (302): Found"),
        (599, [1], "refused (599): no reason given"),
    ],
)
def test_an_error_becomes_a_sentence(desk, status, content, words):
    desk.answers["GET", "/base/x/"] = (status, content)
    found = refusal(desk.server.get, "/x/")
    assert (found[0], found[1]) == (status, f"{desk.server.url} {words}")


@pytest.mark.parametrize("content", [b"<html>", [1]])
def test_an_answer_that_is_no_document_is_refused(desk, content):
    desk.answers["GET", "/base/x/"] = (200, content)
    assert "did not answer with a JSON object" in refusal(desk.server.get, "/x/")[1]


def test_a_lost_answer_is_asked_for_once_more_under_the_same_key(desk):
    desk.answers["POST", "/base/p/"] = [None, (201, {"ref": "R"})]
    assert desk.server.post("/p/", {}, key="k1") == {"ref": "R"}
    assert [headers["Idempotency-Key"] for _, _, headers, _ in desk.asked] == ["k1", "k1"]


def test_an_answer_that_is_lost_twice_is_an_error(desk):
    desk.answers["POST", "/base/p/"] = None
    status, reason = refusal(desk.server.post, "/p/", {}, key="k1")
    assert (status, len(desk.asked)) == (0, 2)
    assert "does not answer" in reason


def test_a_refusal_is_not_sent_again(desk):
    desk.answers["POST", "/base/p/"] = (409, {"detail": "No."})
    assert refusal(desk.server.post, "/p/", {}, key="k1")[0] == 409
    assert len(desk.asked) == 1


def test_a_refusal_in_the_middle_of_an_upload_is_told(tmp_path):
    file = tmp_path / "model.safetensors"
    file.write_bytes(bytes(30_000_000))
    busy = whole(b'{"detail": "The server is busy."}', status="503 Service Unavailable")
    with serving(busy) as url:
        form = Upload(fields={}, file=file, boundary="b")
        found = refusal(PlatformServer(url, "token").upload, "/api/v1/models/", form, key="k")
    assert found == (503, f"{url} refused (503): The server is busy.")


@pytest.mark.parametrize("url", ["", "weighbridge", "ftp://host", "http://"])
def test_an_address_that_is_none_is_refused(url):
    assert refusal(PlatformServer(url, "t").get, "/x/")[0] == 0


def test_https_is_spoken_where_it_is_named():
    connection, base = PlatformServer("https://host.example/sub/", "t").connection()
    assert isinstance(connection, http.client.HTTPSConnection)
    assert (connection.host, base) == ("host.example", "/sub")
