"""When a session is over, and what owners are told."""

import pytest

from governance.accounts.domain import MAIL_TEXTS, SecurityEvent, is_session_over


@pytest.mark.parametrize(
    ("now_s", "is_over"),
    [(1_000, False), (1_099.9, False), (1_100, True), (1_500, True), (999, False)],
)
def test_whoever_is_away_is_out(now_s: float, is_over: bool) -> None:
    assert is_session_over(began_s=0, seen_s=1_000, now_s=now_s, idle_s=100, longest_s=10_000) == is_over


@pytest.mark.parametrize(("now_s", "is_over"), [(9_999.9, False), (10_000, True), (20_000, True)])
def test_nobody_stays_for_ever(now_s: float, is_over: bool) -> None:
    assert is_session_over(began_s=0, seen_s=now_s, now_s=now_s, idle_s=100, longest_s=10_000) == is_over


def test_owners_are_told_of_all_that_changes_and_of_no_guessing() -> None:
    assert set(SecurityEvent) - set(MAIL_TEXTS) == {SecurityEvent.LOGIN_REFUSED}
    assert all(said.endswith(".") and "account" in said for said in MAIL_TEXTS.values())
