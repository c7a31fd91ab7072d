"""A gate over a file that another program replaces."""

import os
from datetime import timedelta

import pytest

from tests.unit.toolkit.client.feed.feeds import ALLOWED, ENTRIES, HOUR, NOW, OTHER_PUBLIC, REVOKED, written
from weighbridge.client.feed import document
from weighbridge.client.feed.mirror import FeedMirror
from weighbridge.client.feed.verdicts import GateVerdict, plain_text


@pytest.fixture
def mirror(tmp_path):
    return FeedMirror(tmp_path / "feed.json", tmp_path / "key.pem", lambda: NOW)


def ask(mirror, digest=ALLOWED):
    return mirror.answer(digest=digest, environment="prod").answer


def test_a_new_feed_is_read_and_an_old_one_is_not_read_again(mirror, tmp_path, monkeypatch):
    assert ask(mirror) is GateVerdict.UNKNOWN
    written(tmp_path, ENTRIES[:2])
    assert (ask(mirror), ask(mirror, REVOKED)) == (GateVerdict.REFUSED, GateVerdict.ALLOWED)
    written(tmp_path, ENTRIES)
    assert (ask(mirror), ask(mirror, REVOKED)) == (GateVerdict.ALLOWED, GateVerdict.REFUSED)
    monkeypatch.setattr(document, "verified_feed", None)
    assert ask(mirror) is GateVerdict.ALLOWED


def test_a_feed_that_goes_back_or_breaks_cannot_tell_until_it_is_well_again(mirror, tmp_path):
    written(tmp_path, ENTRIES)
    assert ask(mirror) is GateVerdict.ALLOWED
    written(tmp_path, ENTRIES[:3])
    assert (ask(mirror), ask(mirror)) == (GateVerdict.UNKNOWN, GateVerdict.UNKNOWN)
    (tmp_path / "feed.json").write_text("{")
    assert ask(mirror) is GateVerdict.UNKNOWN
    (tmp_path / "feed.json").unlink()
    assert ask(mirror) is GateVerdict.UNKNOWN
    written(tmp_path, ENTRIES)
    assert ask(mirror) is GateVerdict.ALLOWED
    (tmp_path / "key.pem").write_text(OTHER_PUBLIC)
    assert ask(mirror) is GateVerdict.UNKNOWN


def test_a_mirror_demands_freshness(tmp_path):
    path = written(tmp_path, issued_at=NOW - HOUR / 2)
    strict = FeedMirror(path, tmp_path / "key.pem", lambda: NOW, timedelta(minutes=29))
    assert ask(strict) is GateVerdict.UNKNOWN
    assert os.fspath(strict.path) == str(path)


def test_text_of_a_server_is_shown_plain():
    assert plain_text("a\x1b[31mred\x07\r\n\u202eb\u200bc") == "a [31mred b c"
    assert len(plain_text("x" * 10_000)) == 500
