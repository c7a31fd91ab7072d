"""What answers must be."""

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.core.errors import Invalid
from weighbridge.core.masking import hide_secrets
from weighbridge.load.expectation import Expectation, excerpt


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


@given(n=st.integers(0, 400), every=st.integers(1, 50), seed=st.integers(0, 99))
def test_one_request_of_each_k_in_turn_is_checked_at_random(n, every, seed):
    chosen = Expectation(json_key="ok", every=every).checked(n, seed=seed)
    assert [int(part.sum()) for part in np.split(chosen, range(every, n, every))] == [1] * math.ceil(
        n / every
    ) or n == 0
    assert not Expectation(every=every).checked(n, seed=seed).any()


def test_bodies_sent_in_turn_all_come_to_be_checked():
    """With ten bodies and a check of each tenth request, a fixed step would only ever see one of them."""
    places = np.flatnonzero(Expectation(json_key="ok", every=10).checked(2_000, seed=1)) % 10
    assert np.bincount(places, minlength=10).min() > 5


def test_what_a_target_repeats_of_a_secret_is_not_shown():
    hide_secrets("sekret-value-9")
    assert excerpt(b"you sent sekret-value-9 \xff") == "'you sent [hidden] \\ufffd'"
    assert excerpt(b"x" * 75 + b"sekret-value-9") == repr("x" * 75 + "[hidd")


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
