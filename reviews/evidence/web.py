"""The page of a back-test: a policy version applied to the requests of the last quarters."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from governance.exports.web import export
from governance.people.web.current_user import person_of, user_of
from governance.rulebook.domain.evaluation.policies import PolicyOutcome
from governance.rulebook.queries import rulebook
from governance.rulebook.web.policies import shown_changes
from governance.site.domain.numbers import whole_number
from governance.site.queries import bounded_page
from governance.site.web.formatting import format_quantity
from reviews.evidence import actions as writes
from reviews.evidence.queries.backtests import backtest, stored
from reviews.evidence.queries.backtests.backtest import DEFAULT_QUARTERS, Backtest, BacktestQuestion
from reviews.evidence.rules import check_backtest
from weighbridge.core.errors import Invalid

PAGE_SIZE = 50


@require_safe
def page(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """`/rulebook/policies/default/4/backtest/?quarters=4&against=3`: requests that would need review or be denied, and
    their costs. A back-test of very many requests is computed by a worker, and the page shows how far it is.
    """
    asked, now = _asked(request, request.GET, name, number), timezone.now()
    context = {
        "version": asked.version,
        "against": asked.against,
        "since": asked.quarters[-1],
        "quarter_count": len(asked.quarters),
        "asked": {"quarters": len(asked.quarters), "against": asked.against.number},
        "versions": [row for row in rulebook.versions("policies") if row.name == name],
        "crumbs": (
            ("Policy", reverse("governance:policies")),
            (str(asked.version), reverse("governance:policy", args=["policies", name, number])),
            ("Back-test", ""),
        ),
    }
    result = stored.result_of(asked, now=now)
    if result is None:
        more = {"long": stored.find(asked, now=now), "requests": stored.requests_of(asked)}
    else:
        more = _shown(result, request.GET.get("page"))
    return render(request, "reviews/evidence/backtest.html", context | more)


@require_POST
def start(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Let a worker compute a back-test."""
    asked = _asked(request, request.POST, name, number)
    writes.start_backtest(asked=asked, by=user_of(request), now=timezone.now())
    return redirect(_address(asked))


@require_safe
def export_backtest(request: HttpRequest, name: str, number: int, kind: str) -> HttpResponseBase:
    """The requests of the back-test as a file; its page, where a worker computes it and has not done so."""
    asked = _asked(request, request.GET, name, number)
    result = stored.result_of(asked, now=timezone.now())
    return redirect(_address(asked)) if result is None else export(backtest.table(result), kind=kind)


def _address(asked: BacktestQuestion) -> str:
    query = urlencode({"quarters": len(asked.quarters), "against": asked.against.number})
    return f"{reverse('reviews:backtest', args=[asked.version.name, asked.version.number])}?{query}"


def _shown(result: Backtest, page_number: str | None) -> dict[str, Any]:
    outcomes = [
        (row.outcome, row.before, row.after, row.after.count - row.before.count) for row in reversed(result.outcomes)
    ]
    rules = [
        (rule, result.rules_before.get(rule, 0), result.rules_after.get(rule, 0))
        for rule in sorted({*result.rules_before, *result.rules_after})
    ]
    return {
        "backtest": result,
        "differences": shown_changes(before=result.against, after=result.version),
        "notes": _notes(result),
        "outcomes": outcomes,
        "rules": rules,
        "page": bounded_page(result.lines, size=PAGE_SIZE, number=page_number),
        "export_query": urlencode({"quarters": len(result.quarters), "against": result.against.number}),
    }


def _notes(result: Backtest) -> dict[str, tuple[int, str]]:
    """The number of requests and their cost as text, for the four boxes at the top of the page."""
    shown = {
        "more": result.stricter,
        "less": result.looser,
        "denied": result.after[PolicyOutcome.DENIED],
        "review": result.after[PolicyOutcome.REVIEW_REQUIRED],
    }
    return {name: (part.count, format_quantity(part.usd, unit="USD")) for name, part in shown.items()}


def _asked(request: HttpRequest, given: QueryDict, name: str, number: int) -> BacktestQuestion:
    check_backtest(person_of(request))
    quarters, against = (given.get(field, "") for field in ("quarters", "against"))
    return backtest.question(
        name=name,
        number=number,
        against=_number(against) if against else None,
        quarters=_number(quarters) if quarters else DEFAULT_QUARTERS,
        now=timezone.now(),
    )


def _number(text: str) -> int:
    number = whole_number(text)
    if number is None:
        raise Invalid("Quarters and versions must be whole numbers, as in ?quarters=4&against=3.", field="quarters")
    return number
