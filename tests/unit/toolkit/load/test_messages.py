"""The bytes of requests."""

import dataclasses
import json
import traceback

import numpy as np
import pytest

from tests.unit.toolkit.load.servers import pinned
from weighbridge.core.addresses import PinnedAddress
from weighbridge.core.errors import Invalid
from weighbridge.core.masking import mask
from weighbridge.load import messages
from weighbridge.load.messages import build_requests, header_from, headers_from_file, hide_header_values, read_bodies
from weighbridge.load.plan import LoadPlan

PLAN = LoadPlan(url="http://localhost/", rate_per_s=10, duration_s=2)


SECRETS = b"Authorization: Bearer sekret-token-77\n\n  X-Key:  sekret-key-88 \n"


def test_headers_from_a_file(tmp_path):
    file = tmp_path / "headers.txt"
    file.write_bytes(SECRETS)
    assert headers_from_file(file) == [("Authorization", "Bearer sekret-token-77"), ("X-Key", "sekret-key-88")]
    file.write_bytes(b"")
    assert headers_from_file(file) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (SECRETS + b"sekret-value without a name\n", r"Line 4 of .*headers\.txt: Write a header like"),
        (b"Host: sekret-host\n", "Line 1 of .*: The generator sets the header Host itself"),
        (b"X-Key: sekret-\xff\n", "not ASCII"),
        (b"X-Key: sekret" + b"x" * 100_000, "larger than 100,000 bytes"),
    ],
)
def test_headers_that_cannot_be_sent_are_refused_without_their_values(tmp_path, content, words):
    file = tmp_path / "headers.txt"
    file.write_bytes(content)
    with pytest.raises(Invalid, match=words) as refused:
        headers_from_file(file)
    assert refused.value.field == "header_file"
    assert "sekret" not in "".join(traceback.format_exception(refused.value)).replace(str(content), "")


def test_a_header_file_that_is_not_there(tmp_path):
    with pytest.raises(Invalid, match="cannot be read: No such file"):
        headers_from_file(tmp_path / "none")


def test_values_that_may_be_secrets_are_hidden():
    hide_header_values([("X-Key", "Bearer sekret-token-99"), ("Accept", "sekret-no-secret")])
    assert mask("Bearer sekret-token-99, sekret-token-99, sekret-no-secret") == "[hidden], [hidden], sekret-no-secret"


def test_a_get_request_to_the_byte():
    assert build_requests(PLAN, pinned(8000, path="/a?b=c")) == [
        b"GET /a?b=c HTTP/1.1\r\nHost: localhost:8000\r\nUser-Agent: weighbridge-load\r\nAccept: */*\r\n\r\n"
    ]


def test_the_port_is_named_where_it_is_not_the_usual_one():
    for target, host in (
        (PinnedAddress("http", "a.b", 80, "192.0.2.1", "/"), b"Host: a.b\r\n"),
        (PinnedAddress("https", "a.b", 443, "192.0.2.1", "/"), b"Host: a.b\r\n"),
        (PinnedAddress("https", "a.b", 80, "192.0.2.1", "/"), b"Host: a.b:80\r\n"),
        (PinnedAddress("http", "::1", 8000, "::1", "/"), b"Host: [::1]:8000\r\n"),
    ):
        assert host in build_requests(PLAN, target)[0]


def test_bodies_are_sent_in_turn(tmp_path):
    file = tmp_path / "b.jsonl"
    file.write_text('{"a": 1}\n\n  {"a": 22}\n')
    plan = dataclasses.replace(
        PLAN, method="POST", body=str(file), headers=(("accept", "text/plain"), ("Authorization", "Bearer t"))
    )
    first, second = build_requests(plan, pinned(80))
    assert first == (
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\naccept: text/plain\r\nAuthorization: Bearer t\r\n"
        b"User-Agent: weighbridge-load\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n" + b'{"a": 1}'
    )
    assert second.endswith(b'Content-Length: 9\r\n\r\n{"a": 22}')


def test_a_post_without_a_body_says_so():
    assert b"Content-Length: 0\r\n" in build_requests(dataclasses.replace(PLAN, method="POST"), pinned(80))[0]


def test_rows_of_an_array_become_instances(tmp_path):
    np.savez(tmp_path / "b.npz", x=np.array([[1, 2], [3, 4]]), y=np.array([0, 1]))
    assert [json.loads(body) for body in read_bodies(tmp_path / "b.npz")] == [
        {"instances": [[1, 2]]},
        {"instances": [[3, 4]]},
    ]


def test_any_other_file_is_one_body(tmp_path):
    (tmp_path / "b.bin").write_bytes(b"\x00\n\x01")
    assert read_bodies(tmp_path / "b.bin") == [b"\x00\n\x01"]
    request = build_requests(dataclasses.replace(PLAN, body=str(tmp_path / "b.bin")), pinned(80))[0]
    assert b"Content-Type: application/octet-stream\r\nContent-Length: 3\r\n" in request


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("b.jsonl", b"{", "Body 1 of the body file is not valid JSON"),
        ("b.jsonl", b"\n\n", "contains no body"),
        ("b.npz", b"PK\x03\x04 broken", "must contain an array x"),
        ("b.npz", b"", "must contain an array x"),
        ("b.npz", np.save, "must contain an array x"),
        ("none.json", None, "cannot be read"),
    ],
)
def test_bodies_that_cannot_be_sent_are_refused(tmp_path, name, content, words):
    file = tmp_path / name
    if callable(content):
        np.savez(file, other=np.zeros(3))
    elif content is not None:
        file.write_bytes(content)
    with pytest.raises(Invalid, match=words):
        read_bodies(file)


def test_a_scalar_is_no_row_of_bodies(tmp_path):
    np.savez(tmp_path / "b.npz", x=np.float32(3))
    with pytest.raises(Invalid, match="must contain an array x"):
        read_bodies(tmp_path / "b.npz")


def test_a_body_file_has_a_largest_size(tmp_path, monkeypatch):
    monkeypatch.setattr(messages, "BODY_BYTES_MAX", 3)
    (tmp_path / "b").write_bytes(b"four")
    with pytest.raises(Invalid, match="larger than 3 bytes"):
        read_bodies(tmp_path / "b")


def test_headers():
    assert header_from("X-Key:  a: b ") == ("X-Key", "a: b")
    for wrong in ("none", "a b: c", "X: a\r\nB: c", "X: \x00", "Host: other", "content-length: 3", ": x", "X: ü"):
        with pytest.raises(Invalid) as refused:
            header_from(wrong)
        assert refused.value.field == "header"
