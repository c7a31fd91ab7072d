"""Which of everything known is put on the agenda, why, in which order, and where it leads."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.budgets.domain.quarters import Quarter
from reviews.quarterly.domain.agenda import FORECAST_ERRORS_MAX, AgendaEntry, AgendaKind, build_agenda, request_page
from reviews.quarterly.domain.sources import (
    ConditionDue,
    ExpiringAuthorization,
    ForecastError,
    Investment,
    OpenAction,
    OpenFinding,
    Saving,
    Sources,
    UnownedModel,
    WaiverInForce,
)

Q4 = Quarter(2026, 4)
HERE = {"ref": "MRR-2026-0001", "model": "search/ranker"}


def at(month: int, day: int, year: int = 2026) -> datetime:
    return datetime(year, month, day, 12, tzinfo=UTC)


def investment(**changes: object) -> Investment:
    return Investment(**{**HERE, "title": "A ranker", "state": "in_review", "usd": Decimal("1200.50"), **changes})


def miss(ref: str, projected: int, billed: int) -> ForecastError:
    return ForecastError(ref=ref, model="search/ranker", projected_usd=Decimal(projected), billed_usd=Decimal(billed))


def only(sources: Sources) -> AgendaEntry:
    (entry,) = build_agenda(sources, quarter=Q4)
    return entry


def test_nothing_known_is_an_empty_agenda() -> None:
    assert build_agenda(Sources(), quarter=Q4) == ()


def test_a_pending_investment() -> None:
    assert only(Sources(investments=(investment(),))) == AgendaEntry(
        kind=AgendaKind.PENDING_INVESTMENT,
        subject="MRR-2026-0001",
        title="A ranker",
        model="search/ranker",
        reason="It is in review: 1,200.50 USD a year.",
        page="/requests/MRR-2026-0001/",
        request="MRR-2026-0001",
        weight=Decimal("1200.50"),
    )
    assert (
        only(Sources(investments=(investment(usd=None, state="evidence"),))).reason
        == "It is gathering evidence: no cost given."
    )


@pytest.mark.parametrize(
    ("approved_at", "is_new"), [(at(9, 30), False), (at(10, 1), True), (at(12, 31), True), (at(1, 1, 2027), False)]
)
def test_an_investment_is_new_in_the_quarter_that_approved_it(approved_at: datetime, is_new: bool) -> None:
    entries = build_agenda(Sources(investments=(investment(approved_at=approved_at),)), quarter=Q4)
    assert [entry.kind for entry in entries] == ([AgendaKind.NEW_INVESTMENT] if is_new else [])
    assert all(entry.reason == f"Approved on {approved_at:%Y-%m-%d}: 1,200.50 USD a year." for entry in entries)


@pytest.mark.parametrize(
    ("due_on", "is_due"), [(date(2026, 11, 1), True), (date(2027, 3, 31), True), (date(2027, 4, 1), False)]
)
def test_conditions_up_to_the_end_of_the_next_quarter(due_on: date, is_due: bool) -> None:
    owed = ConditionDue(**HERE, number=7, authorization="AUT-1", text="Watch it.", owner="Ada", due_on=due_on)
    entries = build_agenda(Sources(conditions=(owed,)), quarter=Q4)
    assert [(entry.subject, entry.reason, entry.page) for entry in entries] == (
        [("7", f"Ada must meet it by {due_on} (AUT-1).", "/requests/MRR-2026-0001/#authorization")] if is_due else []
    )


@pytest.mark.parametrize(("expires_at", "ends"), [(at(3, 31, 2027), True), (at(4, 1, 2027), False)])
def test_authorizations_that_end_before_the_next_meeting(expires_at: datetime, ends: bool) -> None:
    ending = ExpiringAuthorization(**HERE, authorization="AUT-1", environment="prod", expires_at=expires_at)
    entries = build_agenda(Sources(expirations=(ending,)), quarter=Q4)
    assert [(entry.kind, entry.title) for entry in entries] == (
        [(AgendaKind.EXPIRING, "search/ranker in prod")] if ends else []
    )


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("budget.overrun", AgendaKind.OVER_BUDGET),
        ("cost.breach", AgendaKind.FORECAST_ERROR),
        ("drift", AgendaKind.BREACH),
        ("usage.limit", AgendaKind.BREACH),
        ("prices.expired", AgendaKind.PRICES),
        ("prices.changed", AgendaKind.PRICES),
        ("gpus.unrequested", AgendaKind.FINDING),
    ],
)
def test_findings_stand_by_what_they_are_about(kind: str, expected: AgendaKind) -> None:
    found = OpenFinding(
        number=4, kind=kind, subject="Search 2026Q4 USD", text="Too much.", page="/budgets/", team="search"
    )
    assert only(Sources(findings=(found,))) == AgendaEntry(
        kind=expected, subject="FND-4", title="Search 2026Q4 USD", reason="Too much.", page="/budgets/", team="search"
    )


def test_a_finding_about_a_model_names_it() -> None:
    found = OpenFinding(
        number=5,
        kind="cost.breach",
        subject="MRR-2026-0003 (AUT-2026-0003)",
        text="Too much.",
        page="/x/",
        model="ads/x",
    )
    assert only(Sources(findings=(found,))).title == "ads/x: MRR-2026-0003 (AUT-2026-0003)"


def monthly(number: int, ref: str, kind: str = "cost.breach") -> OpenFinding:
    return OpenFinding(number=number, kind=kind, subject=ref, text=f"Too much in month {number}.", page="/x/", ref=ref)


def test_findings_month_after_month_are_one_item_that_names_them_all() -> None:
    findings = (monthly(5, "A"), monthly(6, "B"), monthly(7, "A"), monthly(8, "A", "drift"), monthly(9, "A"))
    entries = build_agenda(Sources(findings=findings), quarter=Q4)
    assert [(entry.kind, entry.subject, entry.reason) for entry in entries] == [
        (
            AgendaKind.FORECAST_ERROR,
            "cost.breach:A",
            "Too much in month 9. Earlier findings that are still open: FND-5, FND-7.",
        ),
        (AgendaKind.FORECAST_ERROR, "cost.breach:B", "Too much in month 6."),
        (AgendaKind.BREACH, "drift:A", "Too much in month 8."),
    ]


def test_findings_of_accounts_stay_apart() -> None:
    findings = (monthly(5, ""), monthly(6, ""))
    assert [entry.subject for entry in build_agenda(Sources(findings=findings), quarter=Q4)] == ["FND-5", "FND-6"]


def test_the_worst_forecasts_first_and_small_errors_not_at_all() -> None:
    entries = build_agenda(
        Sources(forecast_errors=(miss("A", 100, 109), miss("B", 100, 150), miss("C", 0, 5), miss("D", 100, 20))),
        quarter=Q4,
    )
    assert [(entry.subject, entry.reason) for entry in entries] == [
        ("D", "Projected 100.00 USD, billed 20.00 USD: 80 % off."),
        ("B", "Projected 100.00 USD, billed 150.00 USD: 50 % off."),
        ("C", "Projected 0.00 USD, billed 5.00 USD: nothing was projected."),
    ]


@given(st.lists(st.tuples(st.integers(1, 10_000), st.integers(0, 10_000)), max_size=30))
def test_no_forecast_left_off_is_worse_than_one_shown(pairs: list[tuple[int, int]]) -> None:
    forecast_errors = tuple(
        miss(f"M{number:02}", projected, billed) for number, (projected, billed) in enumerate(pairs)
    )
    shown = {entry.subject for entry in build_agenda(Sources(forecast_errors=forecast_errors), quarter=Q4)}
    assert len(shown) <= FORECAST_ERRORS_MAX
    off = [each.error for each in forecast_errors if each.ref not in shown]
    on = [each.error for each in forecast_errors if each.ref in shown]
    assert all(error >= Decimal("0.1") for error in on)
    assert max(off, default=Decimal(0)) <= min(on, default=Decimal(10**9)) or max(off) < Decimal("0.1")


def test_the_other_kinds_lead_to_their_pages() -> None:
    sources = Sources(
        waivers=(
            WaiverInForce(
                **HERE,
                number=3,
                rule="p95-slo",
                reason="A new data center.",
                granted_by="Lee",
                expires_at=at(11, 1),
            ),
            WaiverInForce(
                **HERE,
                number=4,
                rule="p95-slo",
                reason="Long ago.",
                granted_by="Lee",
                expires_at=at(9, 1),
            ),
        ),
        unowned_models=(UnownedModel(model="ads/bidder", name="Bidder", owner="Bo"),),
        savings=(
            Saving(**HERE, variant="int8", share=Decimal("0.379"), is_realized=False),
            Saving(**HERE, variant="pruned", share=None, is_realized=True),
        ),
        open_actions=(
            OpenAction(
                ref="ACT-2026Q3-01",
                quarter="2026Q3",
                model="search/ranker",
                text="Optimize: the ranker",
                owner="Ada",
                due_on=date(2026, 11, 30),
            ),
        ),
    )
    assert [(entry.kind, entry.subject, entry.reason, entry.page) for entry in build_agenda(sources, quarter=Q4)] == [
        (
            AgendaKind.FOLLOW_UP,
            "ACT-2026Q3-01",
            "Decided in 2026Q3; Ada must finish it by 2026-11-30.",
            "/action-items/ACT-2026Q3-01/",
        ),
        (
            AgendaKind.WAIVER,
            "3",
            "Waived by Lee until 2026-11-01: A new data center.",
            "/requests/MRR-2026-0001/policy/#policy",
        ),
        (
            AgendaKind.NO_OWNER,
            "ads/bidder",
            "Its owner Bo has a closed account or is no longer a requester of its team.",
            "/models/ads/bidder/",
        ),
        (
            AgendaKind.SAVING_FOUND,
            "MRR-2026-0001:int8",
            "The variant int8 answers in 38 % less time. It is not in use.",
            "/requests/MRR-2026-0001/evidence/#metric-values",
        ),
        (
            AgendaKind.SAVING_REALIZED,
            "MRR-2026-0001:pruned",
            "The variant pruned is worth using. It is in use.",
            "/requests/MRR-2026-0001/evidence/#metric-values",
        ),
    ]


def test_the_weightiest_first_and_each_subject_once() -> None:
    small, great = investment(ref="A", usd=Decimal(1)), investment(ref="B", usd=Decimal(2))
    again = investment(ref="B", usd=Decimal(3))
    assert [entry.subject for entry in build_agenda(Sources(investments=(small, great, again)), quarter=Q4)] == [
        "B",
        "A",
    ]
    assert request_page("A") == "/requests/A/"


def test_every_kind_has_words_of_its_own() -> None:
    assert len({kind.words for kind in AgendaKind}) == len(AgendaKind)


@pytest.mark.parametrize(
    ("share", "gain"),
    [
        ("0.379", "answers in 38 % less time."),
        ("-0.03", "is smaller, but answers in 3 % more time."),
        ("0.004", "is smaller, and about as fast."),
        ("-0.004", "is smaller, and about as fast."),
        (None, "is worth using."),
    ],
)
def test_a_variant_that_is_slower_is_not_called_faster(share: str | None, gain: str) -> None:
    saving = Saving(**HERE, variant="int8", share=Decimal(share) if share else None, is_realized=False)
    entry = only(Sources(savings=(saving,)))
    assert (entry.kind.words, entry.reason) == (
        "Better variant, not in use",
        f"The variant int8 {gain} It is not in use.",
    )
