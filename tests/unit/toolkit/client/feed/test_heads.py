"""Statements that are signed, but are not what they are taken for."""

import pytest

from tests.unit.toolkit.client.feed.feeds import (
    ALLOWED,
    ENTRIES,
    HOUR,
    KEY,
    NOW,
    OTHER_KEY,
    OTHER_PUBLIC,
    PUBLIC,
    head_of,
    signed,
    summary_of,
)
from weighbridge.client.feed.heads import head_statement, read_head
from weighbridge.client.feed.keys import KEYS_MAX, read_public_keys
from weighbridge.client.feed.summaries import read_summary, summary_answer
from weighbridge.client.feed.verdicts import GateVerdict
from weighbridge.core import attestation
from weighbridge.core.errors import Invalid


def resigned(statement, **changes):
    return attestation.sign(statement | changes, private_key_pem=KEY)


def test_a_head_is_read_back():
    assert read_head(signed(), keys=[PUBLIC]) == head_of()
    assert head_of().root_hash.hex() == head_of().root.removeprefix("sha256:")


@pytest.mark.parametrize(
    "changes",
    [
        {"predicateType": "urn:weighbridge:checkpoint:v1"},
        {"predicate": "x"},
        {"predicate": {}},
        {"predicate": head_statement(head_of())["predicate"] | {"size": True}},
        {"predicate": head_statement(head_of())["predicate"] | {"size": -1}},
        {"predicate": head_statement(head_of())["predicate"] | {"origin": None}},
        {"predicate": head_statement(head_of())["predicate"] | {"issuedAt": "2026-11-01T00:00:00"}},
        {"predicate": head_statement(head_of())["predicate"] | {"expiresAt": 5}},
        {"subject": []},
        {"subject": [{"digest": {"sha256": "AB"}}]},
    ],
)
def test_a_signed_statement_that_is_no_head_is_refused(changes):
    with pytest.raises(Invalid):
        read_head(resigned(head_statement(head_of()), **changes), keys=[PUBLIC])


def test_a_summary_follows_the_standard():
    statement = attestation.verify(summary_of(ENTRIES[2]), public_key_pem=PUBLIC)
    predicate = statement["predicate"]
    assert statement["predicateType"] == "https://slsa.dev/verification_summary/v1"
    assert statement["subject"] == [{"digest": {"sha256": "a" * 64}}]
    assert predicate["verifier"] == {"id": "https://weighbridge.test"}
    assert predicate["timeVerified"] == "2026-11-01T00:00:00Z"
    assert predicate["policy"] == {
        "uri": "https://weighbridge.test/api/v1/policies/",
        "digest": {"sha256": "9" * 64},
    }
    assert (predicate["verificationResult"], predicate["verifiedLevels"]) == ("PASSED", ["WEIGHBRIDGE_AUTHORIZED"])
    assert predicate["inputAttestations"][0]["digest"] == {"sha256": head_of().root.removeprefix("sha256:")}
    unknown = attestation.verify(summary_of(None, policy=""), public_key_pem=PUBLIC)["predicate"]
    assert (unknown["verificationResult"], unknown["verifiedLevels"]) == ("FAILED", [])
    assert unknown["policy"] == {"uri": "https://weighbridge.test/api/v1/policies/"}


def asked(envelope, digest=ALLOWED, environment="prod", now=NOW, **terms):
    return summary_answer(
        read_summary(envelope, keys=[PUBLIC]), digest=digest, environment=environment, now=now, **terms
    )


def test_a_summary_decides_about_its_own_subject_while_it_is_fresh():
    assert asked(summary_of(ENTRIES[2])).answer is GateVerdict.ALLOWED
    assert asked(summary_of(ENTRIES[2])).expires_at == "2026-11-02T00:00:00Z"
    assert asked(summary_of(ENTRIES[0])).reasons == ("This artifact is under review in prod.",)
    assert asked(summary_of(None)).reasons == ("Nothing is known of this artifact in prod.",)
    for reply in (
        asked(summary_of(ENTRIES[2]), digest="sha256:" + "e" * 64),
        asked(summary_of(ENTRIES[2]), environment="staging"),
        asked(summary_of(ENTRIES[2]), now=NOW + HOUR),
        asked(summary_of(ENTRIES[2]), now=NOW - HOUR),
        asked(summary_of(ENTRIES[2]), now=NOW + HOUR / 60, max_age=HOUR / 120),
    ):
        assert reply.answer is GateVerdict.UNKNOWN


def test_a_summary_that_contradicts_itself_cannot_tell():
    statement = attestation.verify(summary_of(ENTRIES[0]), public_key_pem=PUBLIC)
    forged = resigned(statement, predicate=statement["predicate"] | {"verificationResult": "PASSED"})
    assert asked(forged).answer is GateVerdict.UNKNOWN


@pytest.mark.parametrize(
    "changes",
    [
        {"predicateType": "urn:weighbridge:authorization:v1"},
        {"predicate": {}},
        {"predicate": None},
        {"subject": [{"digest": {"sha256": "a" * 64}}, {"digest": {"sha256": "b" * 64}}]},
        {"inputAttestations": [{"digest": {"sha256": "short"}}]},
        {"verificationResult": "MAYBE"},
        {"weighbridge_allowedUntil": 5},
        {"timeVerified": "noon"},
    ],
)
def test_a_signed_statement_that_is_no_summary_is_refused(changes):
    statement = attestation.verify(summary_of(ENTRIES[2]), public_key_pem=PUBLIC)
    own = {name: value for name, value in changes.items() if name in statement}
    inner = {name: value for name, value in changes.items() if name not in statement}
    predicate = {"predicate": statement["predicate"] | inner} if inner else {}
    with pytest.raises(Invalid):
        read_summary(resigned(statement, **own, **predicate), keys=[PUBLIC])


def test_while_keys_rotate_a_file_has_both(tmp_path):
    path = tmp_path / "keys.pem"
    path.write_text(f"the old one:\n{PUBLIC}the new one:\n{OTHER_PUBLIC}")
    keys = read_public_keys(path)
    assert keys == (PUBLIC, OTHER_PUBLIC)
    assert read_head(signed(key=OTHER_KEY), keys=keys) == read_head(signed(), keys=keys)
    with pytest.raises(Invalid):
        read_head(signed(key=OTHER_KEY), keys=keys[:1])


@pytest.mark.parametrize(
    "text", ["", KEY, PUBLIC.replace("MCow", "AAAA"), PUBLIC * (KEYS_MAX + 1), PUBLIC.replace("PUBLIC", "ANY"), "ü"]
)
def test_a_file_without_usable_keys_is_refused(tmp_path, text):
    path = tmp_path / "keys.pem"
    path.write_text(text)
    with pytest.raises(Invalid):
        read_public_keys(path)
    with pytest.raises(Invalid):
        read_public_keys(tmp_path / "none.pem")
