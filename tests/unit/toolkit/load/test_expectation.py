"""What answers must be."""

import hashlib

import pytest

from weighbridge.core.errors import Invalid
from weighbridge.load.expectation import Expectation


@pytest.mark.parametrize(
    ("statuses", "status", "complaint"),
    [
        ((), 200, ""),
        ((), 299, ""),
        ((), 404, "the answer had status 404"),
        ((), 302, "the answer had status 302; redirects are not followed"),
        ((404, 410), 410, ""),
        ((404,), 200, "the answer had status 200"),
    ],
)
def test_statuses(statuses, status, complaint):
    assert Expectation(statuses=statuses).status_complaint(status) == complaint


@pytest.mark.parametrize(
    ("path", "body", "holds"),
    [
        ("ok", b'{"ok": null}', True),
        ("predictions.1.label", b'{"predictions": [0, {"label": 3}]}', True),
        ("predictions.2", b'{"predictions": [0, 1]}', False),
        ("predictions.x", b'{"predictions": [0, 1]}', False),
        ("a.b", b'{"a": 3}', False),
        ("a", b"[" * 100_000, False),
        ("a", b"<html>", False),
        ("a", b"\xff\xfe", False),
        ("a", b"", False),
    ],
)
def test_keys(path, body, holds):
    complaint = Expectation(json_key=path).body_complaint(body)
    assert (complaint == "") is holds
    assert holds or complaint == f"the body has no key {path!r}"


def test_digests():
    right = Expectation(body_sha256=hashlib.sha256(b"yes").hexdigest())
    assert right.reads_bodies
    assert right.body_complaint(b"yes") == ""
    assert right.body_complaint(b"no\n") == "the body has another SHA-256"
    assert not Expectation(statuses=(200,)).reads_bodies
    assert Expectation().body_complaint(b"anything") == ""


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"statuses": (199,)}, "expect_status"),
        ({"body_sha256": "AB"}, "expect_body_sha256"),
        ({"every": 0}, "check_every"),
    ],
)
def test_what_cannot_be_met_is_refused(wrong, field):
    with pytest.raises(Invalid) as refused:
        Expectation(**wrong)
    assert refused.value.field == field
