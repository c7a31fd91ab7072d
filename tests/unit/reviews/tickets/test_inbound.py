"""What deliveries and moves may mean: signatures, hints, meanings, answers; every case of small tables."""

import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.requests.domain.lifecycle import TERMINAL, RequestState
from reviews.tickets.domain import moves as inbound
from reviews.tickets.domain.moves import (
    MOVES,
    Hint,
    Meaning,
    MoveAnswer,
    MoveOutcome,
    answer_on_request,
    has_valid_signature,
    hint_of,
    is_own_comment,
    is_too_old,
    meaning_of,
)
from reviews.tickets.ports import TicketStatus
from weighbridge.core.errors import Invalid

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
BODY = b'{"webhookEvent": "jira:issue_updated", "issue": {"id": "10001"}}'


def signature(body: bytes, secret: str, algorithm: str = "sha256") -> str:
    return f"{algorithm}={hmac.new(secret.encode(), body, algorithm).hexdigest()}"


@pytest.mark.parametrize(
    ("signed", "secrets", "expected"),
    [
        (signature(BODY, "one"), ["one"], True),
        (signature(BODY, "one"), ["two", "one"], True),
        (signature(BODY, "one"), ["one", "two"], True),
        (signature(BODY, "one"), ["two"], False),
        (signature(BODY, "one"), [], False),
        (signature(BODY, ""), [""], False),
        ("", ["one"], False),
        ("sha256=", ["one"], False),
        (signature(BODY, "one")[:-1], ["one"], False),
        (signature(BODY, "one").removeprefix("sha256="), ["one"], False),
        (signature(BODY, "one", "sha1"), ["one"], False),
        (signature(BODY, "one", "sha512"), ["one"], False),
        ("sha256=" + "\N{SNOWMAN}" * 64, ["one"], False),
        (signature(BODY + b" ", "one"), ["one"], False),
    ],
)
def test_a_signature(signed: str, secrets: list[str], expected: bool) -> None:
    assert has_valid_signature(body=BODY, signature=signed, secrets=secrets) is expected


@given(body=st.binary(min_size=1, max_size=200), place=st.integers(min_value=0), change=st.integers(1, 255))
def test_no_changed_byte_passes(body: bytes, place: int, change: int) -> None:
    changed = bytearray(body)
    changed[place % len(body)] ^= change
    assert has_valid_signature(body=body, signature=signature(body, "s"), secrets=["s"])
    assert not has_valid_signature(body=bytes(changed), signature=signature(body, "s"), secrets=["s"])


def test_every_secret_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    right = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda left, other: compared.append(len(left)) or right(left, other))
    assert has_valid_signature(body=BODY, signature=signature(BODY, "one"), secrets=["one", "two"])
    assert compared == [64, 64]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"webhookEvent": "jira:issue_updated", "issue": {"id": "10001"}}, Hint("jira:issue_updated", "10001")),
        ({"webhookEvent": "x" * 100, "issue": {"id": 10001}}, Hint("x" * 80, "10001")),
        ({"webhookEvent": "project_updated"}, Hint("project_updated", "")),
        ({"issue": "10001"}, Hint("", "")),
        ({"issue": {"id": None}}, Hint("", "")),
    ],
)
def test_a_hint(document: object, expected: Hint) -> None:
    assert hint_of(json.dumps(document).encode()) == expected


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(Invalid, match="The body is not"):
        hint_of(body)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (NOW, False),
        (NOW - timedelta(hours=24), False),
        (NOW - timedelta(hours=24, milliseconds=1), True),
        (NOW - timedelta(days=2), True),
        (NOW + timedelta(days=2), False),
    ],
)
def test_an_old_body_is_a_replay(sent: datetime, expected: bool) -> None:
    sent_ms = (sent - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert is_too_old(hint_of(json.dumps({"timestamp": sent_ms}).encode()), NOW) is expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("{}", False),
        ('{"timestamp": "soon"}', False),
        ('{"timestamp": true}', False),
        ('{"timestamp": -9e99}', False),
        ('{"timestamp": -1%s}' % ("0" * 40), True),
        ('{"timestamp": 1%s}' % ("0" * 40), False),
        ('{"timestamp": "1700000000000"}', False),
        ('{"comment": {"updated": 5}, "issue": []}', False),
        ('{"issue": {"fields": {"updated": "0001-01-01T00:00:00.000+2359"}}}', False),
        ('{"issue": {"fields": {"updated": "2026-11-24T11:59:59.000+0000"}}}', True),
        ('{"issue": {"fields": {"updated": "2026-11-24T12:00:00.000+0000"}}}', False),
        ('{"timestamp": 1795608000000, "issue": {"fields": {"updated": "2020-01-01T00:00:00.000+0000"}}}', False),
    ],
)
def test_a_time_nobody_could_mean(said: str, expected: bool) -> None:
    assert is_too_old(hint_of(said.encode()), NOW) is expected


@pytest.mark.parametrize(
    ("status", "category", "expected"),
    [
        ("Won't Do", "done", Meaning.WITHDRAW),
        ("  won't do ", "", Meaning.WITHDRAW),
        ("In Progress", "indeterminate", Meaning.ACKNOWLEDGE),
        ("Done", "done", Meaning.DECIDE),
        ("Closed", "done", Meaning.DECIDE),
        ("Approved", "", Meaning.DECIDE),
        ("approved", "indeterminate", Meaning.DECIDE),
        ("To Do", "new", Meaning.NONE),
        ("", "", Meaning.NONE),
    ],
)
def test_what_a_status_asks_for(status: str, category: str, expected: Meaning) -> None:
    assert meaning_of(status=status, category=category, moves=MOVES, decisions=["Approved"]) is expected


def answer(meaning: Meaning, state: RequestState, *, is_known: bool) -> MoveAnswer:
    return answer_on_request(meaning, state=state, ref="MRR-2026-0001", author="Ada", is_known=is_known)


@pytest.mark.parametrize("state", RequestState)
@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("meaning", Meaning)
def test_the_table_of_answers(meaning: Meaning, state: RequestState, is_known: bool) -> None:
    found = answer(meaning, state, is_known=is_known)
    if state in TERMINAL or meaning in {Meaning.NONE, Meaning.CLOSE}:
        expected = (MoveOutcome.NOTED, False)
    elif meaning is Meaning.DECIDE:
        expected = (MoveOutcome.NOTED if state is RequestState.CLEARED else MoveOutcome.REFUSED, False)
    elif meaning is Meaning.WITHDRAW:
        expected = (MoveOutcome.DONE, True) if is_known else (MoveOutcome.REFUSED, False)
    else:
        expected = (MoveOutcome.DONE if is_known else MoveOutcome.NOTED, False)
    assert (found.outcome, found.is_to_try) == expected
    assert bool(found.reason) is (found.outcome is MoveOutcome.REFUSED)


def test_refusals_say_what_to_do() -> None:
    decided = answer(Meaning.DECIDE, RequestState.IN_REVIEW, is_known=True).reason
    assert decided == (
        "Moving the ticket decides nothing: MRR-2026-0001 is still in review. Only votes on its page decide it."
    )
    assert (
        "the Jira account of Ada is not linked to a Weighbridge user"
        in answer(Meaning.WITHDRAW, RequestState.EVIDENCE, is_known=False).reason
    )
    nobody = answer_on_request(Meaning.WITHDRAW, state=RequestState.EVIDENCE, ref="R", author="", is_known=False)
    assert "the Jira account of the person who moved the ticket is not linked" in nobody.reason


@pytest.mark.parametrize(
    ("is_stored", "is_by_us", "text", "expected"),
    [
        (True, True, "", True),
        (True, False, "", True),
        (False, True, "[ticket.tell:MRR-1:0:evidence]", True),
        (False, True, "Ada: Done.\n[ticket.tell:MRR-1:0:evidence]\n", True),
        (False, True, "Ada: Done.\n\n{{[ticket.tell:MRR-1:0:evidence]}}", True),
        (False, True, "A person who shares our account.", False),
        (False, True, "They wrote [ticket.tell:MRR-1:0:evidence], and I disagree.", False),
        (False, True, "[ticket.tell:MRR-1:0:evidence]\nI disagree.", False),
        (False, False, "[ticket.tell:MRR-1:0:evidence]", False),
    ],
)
def test_our_own_echo(is_stored: bool, is_by_us: bool, text: str, expected: bool) -> None:
    assert is_own_comment(is_stored=is_stored, is_by_us=is_by_us, text=text) is expected


def test_where_a_ticket_stands() -> None:
    closed = TicketStatus(status="Closed", categories=("Done", "done"), updated_at=NOW)
    assert closed.is_in("done")
    assert closed.is_in("closed ")
    assert not replace(closed, status="To Do", categories=("To Do", "new")).is_in("Done")
    translated = replace(closed, status="In Arbeit", categories=("In Arbeit", "indeterminate"))
    assert (translated.is_in("In Progress"), translated.is_in("To Do")) == (True, False)


def test_the_oracle_of_signatures() -> None:
    """RFC 4231, test case 2."""
    known = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert has_valid_signature(body=b"what do ya want for nothing?", signature=f"sha256={known}", secrets=["Jefe"])


@pytest.mark.parametrize("is_closed", [True, False])
@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("meaning", Meaning)
def test_the_table_of_answers_on_an_action_item(meaning: Meaning, is_known: bool, is_closed: bool) -> None:
    asked = inbound.meaning_for_action(meaning)
    found = inbound.answer_on_action(asked, is_closed=is_closed, ref="ACT-2026Q4-01", author="Ada", is_known=is_known)
    if is_closed or meaning is Meaning.NONE:
        expected = (MoveOutcome.NOTED, False)
    else:
        expected = (MoveOutcome.DONE, True) if is_known else (MoveOutcome.REFUSED, False)
    assert (found.outcome, found.is_to_try) == expected
    assert ("the Jira account of Ada is not linked" in found.reason) == (found.outcome is MoveOutcome.REFUSED)
    assert asked is (Meaning.CLOSE if meaning is Meaning.DECIDE else meaning)
