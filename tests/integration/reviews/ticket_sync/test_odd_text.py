"""Whatever people write in the tracker is mirrored: what cannot be stored is replaced, what is too long is cut."""

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from governance.rulebook.models import PolicyVersion
from reviews.ticket_sync.actions import receiving as inbound
from reviews.tickets.models import Ticket, TicketComment, TicketMove
from reviews.tickets.ports import COMMENT_CHARS_MAX, NAME_CHARS_MAX, RemoteComment, TrackerError, TrackerHealth
from tests.factories.people import Cast
from tests.integration.reviews.tickets.audited import issue, linked, moved

ANY = st.text(st.characters(exclude_categories=()), max_size=300)
ODD = st.one_of(ANY, st.builds(lambda text, times: text * times, ANY, st.integers(100, 300)))
IN_DATABASE = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture
def ticket(policy: PolicyVersion, cast: Cast, now: datetime) -> Ticket:
    return linked(cast, now)


@IN_DATABASE
@example(text="a\0b\ud800" * 20_000, author="A\0" * 300, status="\0" * 100)
@given(text=ODD, author=ODD, status=ODD)
def test_a_mirror_takes_any_text(ticket: Ticket, now: datetime, text: str, author: str, status: str) -> None:
    said = RemoteComment(id="1", author_id=author, author=author, text=text, created_at=now, updated_at=now)
    move = replace(moved(status="Parked", category="", at=now), author=author, author_id=author, status=status)
    TicketComment.objects.filter(ticket=ticket).delete()
    assert inbound.update_mirror(ticket=ticket, remote=issue(updated_at=now, comments=(said,), status=status), now=now)
    move = replace(move, id=str(TicketMove.objects.count()))
    inbound.process_move(ticket=ticket, move=move, is_last=True, moves={}, decisions=[], page="p", now=now)
    kept = TicketComment.objects.get(ticket=ticket)
    assert kept.text == (said.text if len(text) <= COMMENT_CHARS_MAX else f"{said.text[:-1]}…")
    assert (len(kept.author) == min(len(author), NAME_CHARS_MAX), "\0" in kept.author) == (True, False)
    assert [one == "\ufffd" for one in kept.text[:50]] == [
        one in {"\0", "\ufffd"} or "\ud800" <= one <= "\udfff" for one in text[:50]
    ]


def test_a_long_name_ends_in_an_ellipsis(ticket: Ticket, now: datetime) -> None:
    said = RemoteComment(id="1", author_id="x", author="A" * 201, text="t" * 40_000, created_at=now, updated_at=now)
    inbound.update_mirror(ticket=ticket, remote=issue(updated_at=now, comments=(said,)), now=now)
    kept = TicketComment.objects.get(ticket=ticket)
    assert (kept.author, kept.text) == ("A" * 199 + "…", "t" * 32_766 + "…")


def test_reasons_of_a_tracker_can_be_stored() -> None:
    assert TrackerError("no\0pe\ud800").reason == "no\ufffdpe\ufffd"
    health = TrackerHealth(ok=False, sentence="s\0" * 2_000, account="a\0")
    assert (health.sentence[:2], len(health.sentence), health.account) == ("s\ufffd", 2_000, "a\ufffd")
