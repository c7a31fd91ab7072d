"""A feed file decides, and one that was changed, cut, mixed or kept too long decides nothing."""

import json
import stat
from dataclasses import asdict, replace
from datetime import timedelta

import pytest

from tests.unit.toolkit.client.feed.feeds import (
    ABSENT,
    ALLOWED,
    ENDED,
    ENTRIES,
    HOUR,
    NOW,
    OTHER_KEY,
    OTHER_PUBLIC,
    PUBLIC,
    REVOKED,
    entry,
    head_of,
    signed,
    written,
)
from weighbridge.client.feed.document import read_feed, verified_feed, write_feed
from weighbridge.client.feed.entries import read_entry
from weighbridge.client.feed.verdicts import GateVerdict
from weighbridge.core.attestation import CLOCK_TOLERANCE
from weighbridge.core.errors import Invalid, TooLarge

SECOND = timedelta(seconds=1)


def answer(feed, digest=ALLOWED, environment="prod", **terms):
    return feed.answer(digest=digest, environment=environment, **({"now": NOW} | terms))


@pytest.fixture
def feed(tmp_path):
    return read_feed(written(tmp_path), keys=[OTHER_PUBLIC, PUBLIC])


@pytest.mark.parametrize(
    ("digest", "environment", "verdict", "reason"),
    [
        (ALLOWED, "prod", GateVerdict.ALLOWED, "This artifact is authorized in prod."),
        (REVOKED, "prod", GateVerdict.REFUSED, "This artifact is revoked in prod."),
        (ENDED, "prod", GateVerdict.REFUSED, "This artifact was cleared in prod until 2026-11-01T00:00:00Z."),
        (ALLOWED, "staging", GateVerdict.REFUSED, "This artifact is rejected in staging."),
        (ABSENT, "prod", GateVerdict.REFUSED, "The feed has no entry for this artifact in prod."),
        (ALLOWED, "dev\x1b[2J", GateVerdict.REFUSED, "The feed has no entry for this artifact in dev [2J."),
        ("sha256:AB", "prod", GateVerdict.UNKNOWN, "sha256:AB is not a digest."),
    ],
)
def test_the_latest_entry_decides(feed, digest, environment, verdict, reason):
    reply = answer(feed, digest, environment)
    assert (reply.answer, reply.reasons, reply.is_allowed) == (verdict, (reason,), verdict is GateVerdict.ALLOWED)
    assert reply.expires_at == ("2026-11-02T00:00:00Z" if reply.is_allowed else None)


@pytest.mark.parametrize(
    ("terms", "verdict", "words"),
    [
        ({"now": NOW + HOUR - SECOND}, GateVerdict.ALLOWED, "authorized"),
        ({"now": NOW + HOUR}, GateVerdict.UNKNOWN, "expired at 2026-11-01T01:00:00Z"),
        ({"now": NOW + 60 * SECOND, "max_age": 60 * SECOND}, GateVerdict.ALLOWED, "authorized"),
        ({"now": NOW + 61 * SECOND, "max_age": 60 * SECOND}, GateVerdict.UNKNOWN, "more than 60 s ago"),
        ({"now": NOW - CLOCK_TOLERANCE}, GateVerdict.ALLOWED, "authorized"),
        ({"now": NOW - CLOCK_TOLERANCE - SECOND}, GateVerdict.UNKNOWN, "from the future"),
    ],
)
def test_only_a_fresh_head_decides(feed, terms, verdict, words):
    reply = answer(feed, **terms)
    assert (reply.answer, words in reply.reasons[0]) == (verdict, True)


def test_an_entry_ends_on_the_second_also_under_a_fresh_head(tmp_path):
    rows = (entry(1, ALLOWED, "cleared", until=NOW + 10 * SECOND),)
    found = read_feed(written(tmp_path, rows), keys=[PUBLIC])
    assert answer(found, now=NOW + 9 * SECOND).is_allowed
    assert answer(found, now=NOW + 10 * SECOND).answer is GateVerdict.REFUSED


def test_a_feed_of_nothing_refuses(tmp_path):
    assert answer(read_feed(written(tmp_path, ()), keys=[PUBLIC])).answer is GateVerdict.REFUSED


@pytest.mark.parametrize(
    "rows",
    [
        ENTRIES[:-1],
        ENTRIES[1:],
        (*ENTRIES, entry(7, REVOKED, "authorized", until=NOW + HOUR)),
        (ENTRIES[1], ENTRIES[0], *ENTRIES[2:]),
        (*ENTRIES[:3], replace(ENTRIES[3], standing="authorized"), *ENTRIES[4:]),
        (*ENTRIES[:1], replace(ENTRIES[1], allowed_until="2036-11-01T00:00:00Z"), *ENTRIES[2:]),
    ],
)
def test_entries_that_are_not_those_of_the_head_are_refused(rows):
    with pytest.raises(Invalid, match=r"not all there|do not match"):
        verified_feed(signed(), rows, keys=[PUBLIC])


@pytest.mark.parametrize("envelope", [None, {}, signed(key=OTHER_KEY), signed() | {"payload": "e30="}])
def test_a_head_that_no_trusted_key_signed_is_refused(envelope):
    with pytest.raises(Invalid):
        verified_feed(envelope, ENTRIES, keys=[PUBLIC])
    with pytest.raises(Invalid):
        verified_feed(signed(), ENTRIES, keys=[])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "{}",
        '{"entries": [], "entries": []}',
        '{"entries": [NaN]}',
        '{"entries": ' + "[" * 100_000,
        '{"entries": ' + "[" * 25 + "]" * 25 + "}",
        '{"entries": {}}',
        '{"entries": [1]}',
        "\xff",
    ],
)
def test_a_file_that_is_no_feed_is_refused(tmp_path, text):
    (tmp_path / "feed.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(Invalid):
        read_feed(tmp_path / "feed.json", keys=[PUBLIC])


def test_a_file_that_is_missing_or_too_large_is_refused(tmp_path, monkeypatch):
    with pytest.raises(Invalid, match="cannot be read"):
        read_feed(tmp_path / "none.json", keys=[PUBLIC])
    path = written(tmp_path)
    monkeypatch.setattr("weighbridge.client.feed.document.BYTES_MAX", path.stat().st_size - 1)
    with pytest.raises(TooLarge, match="is larger than"):
        read_feed(path, keys=[PUBLIC])


@pytest.mark.parametrize(
    "change",
    [
        {"position": True},
        {"position": 0},
        {"position": "1"},
        {"digest": "sha256:AB"},
        {"environment": ""},
        {"environment": "prod\x1b"},
        {"standing": "x" * 41},
        {"standing": None},
        {"allowed_until": "2027-01-01"},
        {"allowed_until": "soon"},
        {"at": None},
        {"at": "2026-11-01T00:00:00"},
        {"team": "search"},
    ],
)
def test_a_damaged_entry_is_refused(change):
    assert read_entry(asdict(ENTRIES[2])) == ENTRIES[2]
    with pytest.raises(Invalid, match="The feed is damaged"):
        read_entry(asdict(ENTRIES[2]) | change)


def test_an_entry_lacks_nothing():
    with pytest.raises(Invalid, match="The feed is damaged"):
        read_entry({"position": 1})


def test_a_feed_is_written_whole_and_for_all_to_read(tmp_path):
    path = written(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert sorted(each.name for each in tmp_path.iterdir()) == ["feed.json", "key.pem"]
    assert set(json.loads(path.read_text())) == {"head", "entries"}
    with pytest.raises(Invalid, match="cannot be written"):
        write_feed(tmp_path / "none" / "feed.json", envelope=signed(), entries=ENTRIES)


def test_a_head_says_what_it_covers():
    assert head_of(()).root == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert head_of().size == 6
