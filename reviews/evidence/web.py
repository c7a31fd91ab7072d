"""The page of a back-test: a policy version applied to the requests of the last quarters."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from governance.exports.web import export
from governance.people.web.current_user import person_of
from governance.rulebook.domain.evaluation.policies import PolicyOutcome
from governance.rulebook.queries import rulebook
from governance.rulebook.web.policies import shown_changes
from governance.site.domain.numbers import whole_number
from governance.site.queries import bounded_page
from governance.site.web.formatting import format_quantity
from reviews.evidence.queries import backtest
from reviews.evidence.queries.backtest import DEFAULT_QUARTERS, Backtest
from reviews.evidence.rules import check_backtest
from weighbridge.core.errors import Invalid

PAGE_SIZE = 50


@require_safe
def page(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """`/rulebook/policies/default/4/backtest/?quarters=4&against=3`: requests that would need review or be denied, and
    their costs.
    """
    result = _run(request, name, number)
    version = result.version
    outcomes = [
        (row.outcome, row.before, row.after, row.after.count - row.before.count) for row in reversed(result.outcomes)
    ]
    rules = [
        (rule, result.rules_before.get(rule, 0), result.rules_after.get(rule, 0))
        for rule in sorted({*result.rules_before, *result.rules_after})
    ]
    context = {
        "backtest": result,
        "differences": shown_changes(before=result.against, after=version),
        "notes": _notes(result),
        "outcomes": outcomes,
        "rules": rules,
        "page": bounded_page(result.lines, size=PAGE_SIZE, number=request.GET.get("page")),
        "quarter_count": len(result.quarters),
        "export_query": urlencode({"quarters": len(result.quarters), "against": result.against.number}),
        "versions": [row for row in rulebook.versions("policies") if row.name == name],
        "crumbs": (
            ("Policy", reverse("governance:policies")),
            (str(version), reverse("governance:policy", args=["policies", name, number])),
            ("Back-test", ""),
        ),
    }
    return render(request, "reviews/evidence/backtest.html", context)


@require_safe
def export_backtest(request: HttpRequest, name: str, number: int, kind: str) -> HttpResponseBase:
    """The requests of the back-test as a file."""
    return export(backtest.table(_run(request, name, number)), kind=kind)


def _notes(result: Backtest) -> dict[str, tuple[int, str]]:
    """The number of requests and their cost as text, for the four boxes at the top of the page."""
    shown = {
        "more": result.stricter,
        "less": result.looser,
        "denied": result.after[PolicyOutcome.DENIED],
        "review": result.after[PolicyOutcome.REVIEW_REQUIRED],
    }
    return {name: (part.count, format_quantity(part.usd, unit="USD")) for name, part in shown.items()}


def _run(request: HttpRequest, name: str, number: int) -> Backtest:
    check_backtest(person_of(request))
    quarters, against = (request.GET.get(field, "") for field in ("quarters", "against"))
    return backtest.run(
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
