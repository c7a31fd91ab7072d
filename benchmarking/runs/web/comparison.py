"""`/runs/compare/`: two to six runs side by side; the address contains the choice and can be shared."""

from dataclasses import replace
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from benchmarking.runs.domain.comparison import (
    RUNS_MAX,
    ComparedRun,
    MetricRow,
    RunComparison,
    RunConditionRow,
    compare,
)
from benchmarking.runs.queries import runs
from benchmarking.runs.queries.runs import RunView
from benchmarking.runs.web.result import conditions_of
from governance.people.web.current_user import person_of
from governance.rulebook.queries.catalogs import catalog_in_force
from weighbridge.core.errors import Invalid, Refused


@require_safe
def side_by_side(request: HttpRequest) -> HttpResponse:
    """Compare the runs in the `run` parameters with the first of them; `only=differences` hides equal rows."""
    only_differences = request.GET.get("only") == "differences"
    context = {
        "only_differences": only_differences,
        "crumbs": (("Models", reverse("governance:models")), ("Compare runs", "")),
    }
    try:
        chosen = _chosen(request)
        comparison = compare([_compared_run(view) for view in chosen], catalog=catalog_in_force())
    except Refused as refusal:
        return render(
            request, "benchmarking/runs/compare.html", context | {"refusal": refusal.reason}, status=refusal.status
        )
    rows: list[MetricRow | RunConditionRow] = [*comparison.metric_values, *comparison.conditions]
    context |= {
        "views": chosen,
        "comparison": _only_differences(comparison) if only_differences else comparison,
        "hidden": sum(not row.differs for row in rows),
        "everything_url": _address(chosen),
        "differences_url": _address(chosen, only="differences"),
        "orders": [(view, _address([view, *(other for other in chosen if other is not view)])) for view in chosen],
    }
    return render(request, "benchmarking/runs/compare.html", context)


def _chosen(request: HttpRequest) -> list[RunView]:
    names = list(dict.fromkeys(request.GET.getlist("run")))
    if any(not name.isdecimal() or len(name) > 18 for name in names):
        raise Invalid("A run must be a number.", field="run")
    if len(names) > RUNS_MAX:
        raise Invalid(f"At most {RUNS_MAX} runs can be compared; {len(names)} were given.", field="run")
    person = person_of(request)
    return [runs.describe(runs.find(run_id=int(name), person=person)) for name in names]


def _compared_run(view: RunView) -> ComparedRun:
    metric_values = {metric.name: metric for metric in view.metrics}
    conditions = {f"{part.title}: {name}": value for part in conditions_of(view.manifest) for name, value in part.pairs}
    about = {"state": view.state, "verdict": view.verdict, "version": view.model, "data": view.dataset}
    return ComparedRun(f"Run {view.id}", metric_values, about | conditions)


def _only_differences(comparison: RunComparison) -> RunComparison:
    return replace(
        comparison,
        metric_values=tuple(row for row in comparison.metric_values if row.differs),
        conditions=tuple(row for row in comparison.conditions if row.differs),
    )


def _address(views: list[RunView], **more: str) -> str:
    query = [*(("run", str(view.id)) for view in views), *more.items()]
    return f"{reverse('benchmarking:compare')}?{urlencode(query)}"
