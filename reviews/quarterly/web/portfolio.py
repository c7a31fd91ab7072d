"""The portfolio of a quarter: table, chart and the optimizer's proposal, filtered by team and standing."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from governance.budgets.domain.quarters import Quarter
from governance.budgets.rules import may_see_budget
from governance.people.web.current_user import person_of
from governance.site.queries import bounded_page
from reviews.quarterly.domain.portfolio.frontier import frontier
from reviews.quarterly.queries import portfolio as reads
from reviews.quarterly.queries.portfolio_money import money_of
from reviews.quarterly.web.cycles import PAGE_SIZE, load
from reviews.quarterly.web.portfolio_chart import portfolio_chart
from reviews.quarterly.web.status_strip import strip_of_quarter
from weighbridge.cli.tables.portfolio_table import account_sentences, value_sentences
from weighbridge.tradeoff.portfolio.outcome import AccountUse, ModelChoice, PortfolioOutcome

HIDDEN = "The proposal keeps the budgets of all teams. Budgets of other teams are shown to those who may see them."


@require_safe
def page(request: HttpRequest, quarter: str) -> HttpResponse:
    """`/cycles/2026Q4/portfolio/`: the models today. The proposal is fetched after it."""
    cycle, chosen = load(request, quarter), _chosen(request)
    everything = reads.portfolio_rows()
    rows = reads.filtered(everything, **chosen)
    shown = bounded_page(rows, size=PAGE_SIZE, number=request.GET.get("page"))
    on_page = reads.with_limits(list(shown))
    money = money_of(on_page, quarter=Quarter.parse(cycle.quarter), person=person_of(request))
    context = {
        "quarter": cycle.quarter,
        "page": shown,
        "rows": [(row, money[row.ref]) for row in on_page],
        "chosen": chosen,
        "strip": strip_of_quarter(cycle.quarter, person=person_of(request), team=chosen["team"]),
        "query": urlencode({name: value for name, value in chosen.items() if value}),
        "teams": [(slug, name, _address(chosen, team=slug)) for slug, name in reads.teams_of(everything)],
        "standings": [(standing, _address(chosen, standing=standing)) for standing in reads.STANDINGS],
        "every_team": _address(chosen, team=""),
        "every_standing": _address(chosen, standing=""),
        "count": len(rows),
        "chart": portfolio_chart(on_page, best=frontier([row.point for row in rows]), is_part=len(on_page) < len(rows)),
        "crumbs": (
            ("Quarterly review", reverse("reviews:cycles")),
            (cycle.quarter, reverse("reviews:cycle", args=[cycle.quarter])),
            ("Portfolio", ""),
        ),
    }
    return render(request, "reviews/quarterly/portfolio.html", context)


@require_safe
def proposal(request: HttpRequest, quarter: str) -> HttpResponse:
    """The optimizer's proposal for the chosen models, under the budgets of the current quarter."""
    cycle = load(request, quarter)
    quarter_of_budgets = Quarter.parse(max(cycle.quarter, str(Quarter.of(timezone.now()))))
    found = reads.proposal_of(quarter=quarter_of_budgets, **_chosen(request))
    person = person_of(request)
    hidden = {name for name, team in found.teams.items() if not may_see_budget(person, team=team)}
    context: dict[str, Any] = {
        "outcome": found.outcome,
        "choices": _choices(found),
        "budgets_of": quarter_of_budgets,
        "why_not": found.why_not,
        "left_out": found.quarter_problem.left_out,
        "left_out_shown": found.quarter_problem.left_out[:PAGE_SIZE],
        "sentences": _sentences(found, hidden),
        "uses": _uses(found.outcome, hidden),
    }
    return render(request, "reviews/quarterly/_fragments/portfolio_proposal.html", context)


def _sentences(found: reads.PortfolioProposal, hidden: set[str]) -> list[str]:
    """What the proposal says; of the accounts, nothing to a person who may not see one of them."""
    problem, outcome = found.quarter_problem.problem, found.outcome
    if problem is None or outcome is None:
        return []
    of_accounts = account_sentences(outcome, problem) if not hidden else [HIDDEN]
    return [*value_sentences(outcome, problem), *of_accounts]


def _choices(found: reads.PortfolioProposal) -> list[ModelChoice]:
    """The choice of each model that has one; the others only reserve their costs."""
    if found.outcome is None:
        return []
    return [each for each in found.outcome.choices if each.model not in found.quarter_problem.reserved]


def _uses(outcome: PortfolioOutcome | None, hidden: set[str]) -> list[tuple[AccountUse, AccountUse]]:
    """The use of each account that the person may see: as proposed, and as asked."""
    if outcome is None:
        return []
    uses = zip(outcome.totals.accounts, outcome.asked.accounts, strict=True)
    return [(use, asked) for use, asked in uses if use.name not in hidden]


def _chosen(request: HttpRequest) -> dict[str, str]:
    standing = request.GET.get("standing", "")
    return {"team": request.GET.get("team", ""), "standing": standing if standing in reads.STANDINGS else ""}


def _address(chosen: dict[str, str], **changes: str) -> str:
    return "?" + urlencode({name: value for name, value in {**chosen, **changes}.items() if value})
