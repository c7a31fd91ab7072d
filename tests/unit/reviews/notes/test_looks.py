"""Looks that follow each other closely are one visit."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reviews.notes.domain.looks import VISIT, Look, Looks, looks_after

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def look(position: int, minutes: float = 0, revision: int = 1) -> Look:
    return Look(position=position, revision=revision, at=AT + timedelta(minutes=minutes))


def test_the_first_look_has_nothing_before_it() -> None:
    looks = looks_after(None, look=look(5), is_read=False)
    assert looks == Looks(latest=look(5))
    assert looks.reference(AT) is None
    assert looks.reference(AT + VISIT) is None
    assert looks.reference(AT + VISIT + timedelta(seconds=1)) == look(5)


def test_changes_stay_for_the_visit() -> None:
    first = looks_after(None, look=look(5), is_read=False)
    second = looks_after(first, look=look(9, minutes=60), is_read=False)
    assert second == Looks(latest=look(9, minutes=60), before=look(5))
    third = looks_after(second, look=look(11, minutes=80), is_read=False)
    assert third == Looks(latest=look(11, minutes=80), before=look(5))
    assert third.reference(AT + timedelta(minutes=110)) == look(5)
    assert third.reference(AT + timedelta(minutes=110, seconds=1)) == look(11, minutes=80)


def test_what_is_read_is_gone_at_once() -> None:
    first = looks_after(None, look=look(5), is_read=True)
    assert first.reference(AT) == look(5)
    second = looks_after(first, look=look(9, minutes=1), is_read=True)
    assert second.reference(AT + timedelta(minutes=1)) == look(9, minutes=1)


def test_a_look_never_goes_back() -> None:
    first = looks_after(None, look=look(9), is_read=False)
    second = looks_after(first, look=look(4, minutes=90, revision=2), is_read=True)
    assert second.latest == Look(position=9, revision=2, at=AT + timedelta(minutes=90))


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 90), st.booleans()), min_size=1, max_size=20))
def test_the_reference_is_never_after_the_latest_look(steps: list[tuple[int, int, bool]]) -> None:
    looks, minutes, highest = None, 0, 0
    for position, wait, is_read in steps:
        minutes += wait
        highest = max(highest, position)
        looks = looks_after(looks, look=look(position, minutes=minutes), is_read=is_read)
        assert looks.latest.position == highest
        reference = looks.reference(AT + timedelta(minutes=minutes))
        assert reference is None or reference.position <= highest
        assert not is_read or reference == looks.latest
