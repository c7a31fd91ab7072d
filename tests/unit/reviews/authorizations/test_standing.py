"""The standing of an artifact: the strictest record counts, and only people lift what people decided."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.authorizations.domain.standing import (
    APPROVED,
    DENIED_BY_PEOPLE,
    ArtifactStanding,
    Standing,
    StandingRecord,
    artifact_standing,
    denials,
    reviewed_before,
)

ORDER = [
    *("rejected", "revoked", "suspended", "under_review", "review_lost", "expired"),
    *("conditional", "authorized", "cleared", "unknown"),
]
POSSIBLE = [standing for standing in Standing if standing is not Standing.UNKNOWN]


def record(standing: Standing, name: str = "MRR-1", ends_at: datetime | None = None) -> StandingRecord:
    return StandingRecord(name=name, request=name, standing=standing, reason="is", ends_at=ends_at)


records = st.lists(st.builds(record, st.sampled_from(POSSIBLE), st.sampled_from(["MRR-1", "AUT-1", "MRR-2"])))


def test_the_order_is_strictest_first() -> None:
    assert [standing.value for standing in Standing] == ORDER
    assert {standing for standing in Standing if standing.is_allowed} == {*APPROVED, Standing.CLEARED}


def test_nothing_known_is_unknown_and_denied() -> None:
    assert artifact_standing([]) == ArtifactStanding(Standing.UNKNOWN, ())
    assert not Standing.UNKNOWN.is_allowed


@pytest.mark.parametrize("denial", sorted(DENIED_BY_PEOPLE))
@pytest.mark.parametrize("other", POSSIBLE)
def test_a_denial_by_people_beats_everything_until_it_is_settled(denial: Standing, other: Standing) -> None:
    rows = [record(denial), record(other, "MRR-2")]
    assert not artifact_standing(rows).standing.is_allowed
    settled = artifact_standing(rows, settled={("MRR-1", denial.value)})
    assert settled.standing is other


@pytest.mark.parametrize("undecided", [Standing.UNDER_REVIEW, Standing.REVIEW_LOST, Standing.EXPIRED])
def test_a_review_beats_a_clearance_and_an_approval_stands_beside_it(undecided: Standing) -> None:
    assert artifact_standing([record(undecided), record(Standing.CLEARED, "MRR-2")]).standing is undecided
    for approval in APPROVED:
        assert artifact_standing([record(undecided), record(approval, "AUT-1")]).standing is approval


def test_conditions_of_one_authorization_are_not_lost_beside_another() -> None:
    rows = [record(Standing.AUTHORIZED, "AUT-1"), record(Standing.CONDITIONAL, "AUT-2")]
    assert artifact_standing(rows).standing is Standing.CONDITIONAL


def test_the_longest_of_equals_comes_first() -> None:
    first, last = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    rows = [record(Standing.CLEARED, "MRR-1", first), record(Standing.CLEARED, "MRR-2", last)]
    assert [row.name for row in artifact_standing(rows).records] == ["MRR-2", "MRR-1"]


def test_a_settled_denial_counts_again_when_its_standing_changes() -> None:
    settled = {("AUT-1", "suspended")}
    assert artifact_standing([record(Standing.SUSPENDED, "AUT-1")], settled=settled).standing is Standing.UNKNOWN
    assert artifact_standing([record(Standing.REVOKED, "AUT-1")], settled=settled).standing is Standing.REVOKED


@given(records, st.permutations(range(6)))
def test_the_order_of_the_records_does_not_matter(rows: list[StandingRecord], order: list[int]) -> None:
    shuffled = [rows[place] for place in order if place < len(rows)] + rows[6:]
    assert artifact_standing(shuffled).standing is artifact_standing(rows).standing


@given(records, st.sampled_from(POSSIBLE))
def test_no_further_record_but_an_approval_ever_allows_more(rows: list[StandingRecord], further: Standing) -> None:
    before = artifact_standing(rows).standing
    after = artifact_standing([*rows, record(further, "MRR-9")]).standing
    if further not in APPROVED and before is not Standing.UNKNOWN:
        assert before.is_allowed or not after.is_allowed


@given(records)
def test_an_approval_alone_never_ends_a_denial(rows: list[StandingRecord]) -> None:
    if any(row.standing in DENIED_BY_PEOPLE for row in rows):
        assert not artifact_standing([*rows, record(Standing.AUTHORIZED, "AUT-9")]).standing.is_allowed


@given(records)
def test_only_clearances_leave_the_next_request_without_a_mandatory_review(rows: list[StandingRecord]) -> None:
    assert (not reviewed_before(rows)) == all(row.standing is Standing.CLEARED for row in rows)
    assert set(denials(rows)) == {row for row in rows if row.standing in DENIED_BY_PEOPLE}
