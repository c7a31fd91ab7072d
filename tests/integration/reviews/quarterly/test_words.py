"""No item of an agenda and no minutes name a metric, a rule, a unit or a path by its name in the code, of any kind."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from governance.budgets.actions import actuals
from governance.budgets.domain.actuals import Stated
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.budgets.models import BudgetAccount
from reviews.quarterly.actions import cycles
from reviews.quarterly.domain import sources
from reviews.quarterly.domain.agenda import AgendaEntry, AgendaKind, build_agenda
from reviews.quarterly.domain.decisions import DecisionKind
from reviews.quarterly.domain.quorum import Side
from reviews.quarterly.models import AgendaItem
from reviews.requests.models import ReviewRequest
from tests.factories.cycles import make_held, make_item, met_at
from tests.factories.people import Cast
from weighbridge.core.metrics.standard import STANDARD

pytestmark = pytest.mark.django_db

OF_CODE = re.compile(
    r"[A-Za-z0-9]+_[A-Za-z0-9_]+"  # latency_p95_ms, gpu_h
    r"|\b[a-z]+\[\d+\]"  # rules[0]
    r"|\b[a-z]+(?:-[a-z]+){2,}-[a-z]+\b"  # cheaper-alternatives-prod
    r"|\b[a-z]+\.[a-z]+(?:_[a-z]+)*\b(?!/)"  # cost.breach
)


def code_words(text: str) -> list[str]:
    """The words of a text that are names of the code; references and addresses are not."""
    return OF_CODE.findall(text)


@pytest.mark.parametrize(
    "text", ["latency_p95_ms", "gpu_h", "rules[0].limit", "training-gpu-hours-prod", "cost.breach"]
)
def test_names_of_the_code_are_seen(text: str) -> None:
    assert code_words(f"It is {text} now.") != []


@pytest.mark.parametrize(
    "text", ["MRR-2026-0001 costs 1,200.50 USD.", "search/visual-search in prod", "By 2026-10-01 (AUT-2026-0001)."]
)
def test_references_and_numbers_are_words_of_people(text: str) -> None:
    assert code_words(text) == []


def texts() -> list[str]:
    rows = AgendaItem.objects.all()
    return [f"{AgendaKind(row.kind).words}: {row.title}: {row.reason}" for row in rows]


def test_a_rich_quarter_is_told_in_words(rich: ReviewRequest, cast: Cast, now: datetime) -> None:
    """A waiver, conditions, an overrun of GPU hours, expiring authorizations, an action item and an added item."""
    account = BudgetAccount.objects.filter(unit=BudgetUnit.GPU_H).first()
    assert account is not None
    stated = Stated(period=f"{now:%Y-%m}", amount=Decimal(9_999), request_ref=rich.ref)
    actuals.book_actual(account=account, stated=stated, key="bill:1", source="bills", by=None, now=now)
    held = make_held(cast=cast, now=now)
    kinds = {AgendaKind(kind) for kind in AgendaItem.objects.values_list("kind", flat=True)}
    assert {AgendaKind.WAIVER, AgendaKind.OVER_BUDGET, AgendaKind.CONDITION_DUE} <= kinds
    make_item(cycle=held, by=cast.approver, now=now)
    found = {text: code_words(text) for text in texts()}
    assert {text: words for text, words in found.items() if words} == {}
    closed = cycles.close(cycle=held, by=cast.approver, now=met_at(now))
    assert code_words(closed.minutes) == []


def every_source() -> sources.Sources:
    """One source of each kind, with the names that the code has for rules, metrics and findings."""
    of = {"ref": "MRR-2026-0001", "model": "search/ranker"}
    at = datetime.fromisoformat("2026-11-20T12:00:00+00:00")
    kinds = ("budget.overrun", "cost.breach", "drift", "usage.limit", "prices.expired", "gpus.unrequested")
    later = at + timedelta(days=90)
    return sources.Sources(
        investments=(
            sources.Investment(**of, title="A ranker", state="changes_requested", usd=Decimal(9)),
            sources.Investment(**of, title="A ranker", state="decided", usd=None, approved_at=at),
        ),
        conditions=(
            sources.ConditionDue(
                **of, number=1, authorization="AUT-1", text="Watch it.", owner="Ada", due_on=at.date()
            ),
        ),
        expirations=(sources.ExpiringAuthorization(**of, authorization="AUT-1", environment="prod", expires_at=at),),
        findings=tuple(
            sources.OpenFinding(number=number, kind=kind, subject=f"S {number}", text="Too much.", page="/x/")
            for number, kind in enumerate(kinds)
        ),
        forecast_errors=(sources.ForecastError(**of, projected_usd=Decimal(1), billed_usd=Decimal(5)),),
        waivers=(
            sources.WaiverInForce(
                **of, number=1, rule="cheaper-alternatives-prod-all", reason="Why.", granted_by="Lee", expires_at=later
            ),
            sources.WaiverInForce(
                **of, number=2, rule="latency_p95_ms", reason="Why.", granted_by="Lee", expires_at=later
            ),
        ),
        unowned_models=(sources.UnownedModel(model="ads/bidder", name="Bidder", owner="Bo"),),
        savings=tuple(
            sources.Saving(**of, variant=f"int{number}", share=share, is_realized=bool(number % 2))
            for number, share in enumerate((None, Decimal("0.3"), Decimal("-0.03"), Decimal(0)))
        ),
        open_actions=(
            sources.OpenAction(
                ref="ACT-2026Q3-01", quarter="2026Q3", model="", text="Keep: it", owner="Ada", due_on=date(2026, 12, 1)
            ),
        ),
    )


def test_every_kind_of_item_is_told_in_words() -> None:
    entries: tuple[AgendaEntry, ...] = build_agenda(every_source(), quarter=Quarter(2026, 4))
    assert {entry.kind for entry in entries} == set(AgendaKind) - {AgendaKind.ADDED}
    wrong = [text for each in entries for text in (each.title, each.reason, each.kind.words) if code_words(text)]
    assert wrong == []
    assert not any(name in f"{each.title} {each.reason}" for each in entries for name in STANDARD if "_" in name)


def test_decisions_and_sides_are_told_in_words() -> None:
    assert [kind for kind in DecisionKind if code_words(f"{kind.words} {kind.implies}")] == []
    assert [side for side in Side if code_words(side.words)] == []
