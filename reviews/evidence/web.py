"""The page of a back-test: what a policy version would have said of the requests of the last quarters."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from governance.exports.web import export
from governance.people.web.current_user import person_of
from governance.rulebook.domain.evaluation import PolicyOutcome
from governance.rulebook.queries import rulebook
from governance.rulebook.web.policies import shown_changes
from governance.site.web.formatting import format_quantity
from reviews.evidence.queries import backtest
from reviews.evidence.queries.backtest import Backtest
from reviews.evidence.rules import check_backtest
from weighbridge.core.errors import Invalid

DEFAULT_QUARTERS = 4
PAGE_SIZE = 50


@require_safe
def page(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """`/rulebook/policies/default/4/backtest/?quarters=4&against=3`: requests that would need review or be denied, and
    what they cost.
    """
    said = _run(request, name, number)
    version = said.version
    outcomes = [
        (outcome, said.before[outcome], said.after[outcome], said.after[outcome].count - said.before[outcome].count)
        for outcome in reversed(PolicyOutcome)
    ]
    rules = [
        (rule, said.rules_before.get(rule, 0), said.rules_after.get(rule, 0))
        for rule in sorted({*said.rules_before, *said.rules_after})
    ]
    context = {
        "said": said,
        "differences": shown_changes(before=said.against, after=version),
        "notes": _notes(said),
        "outcomes": outcomes,
        "rules": rules,
        "page": Paginator(said.lines, PAGE_SIZE).get_page(request.GET.get("page")),
        "asked": len(said.quarters),
        "versions": [row for row in rulebook.versions("policies") if row.name == name],
        "crumbs": (
            ("Policy", reverse("governance:policies")),
            (str(version), reverse("governance:policy", args=["policies", name, number])),
            ("Back-test", ""),
        ),
    }
    return render(request, "reviews/evidence/backtest.html", context)


@require_safe
def exported(request: HttpRequest, name: str, number: int, kind: str) -> HttpResponse:
    """The same requests as a file."""
    return export(backtest.table(_run(request, name, number)), kind=kind)


def _notes(said: Backtest) -> dict[str, tuple[int, str]]:
    """How many requests, and what they would cost in words, for the four metric values at the top."""
    shown = {
        "more": said.stricter,
        "less": said.looser,
        "denied": said.after[PolicyOutcome.DENIED],
        "review": said.after[PolicyOutcome.REVIEW_REQUIRED],
    }
    return {name: (each.count, format_quantity(each.usd, unit="USD")) for name, each in shown.items()}


def _run(request: HttpRequest, name: str, number: int) -> Backtest:
    check_backtest(person_of(request))
    asked, against = (request.GET.get(field, "") for field in ("quarters", "against"))
    return backtest.run(
        version=backtest.version_of(name=name, number=number),
        against=backtest.compared_with(name=name, number=_number(against) if against else None),
        quarters=_number(asked) if asked else DEFAULT_QUARTERS,
        now=timezone.now(),
    )


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise Invalid("Give quarters and versions as whole numbers, like ?quarters=4&against=3.", field="quarters")
    return int(text)
