"""`/runs/compare/`: two to six runs side by side; the address contains the choice and can be shared.

`/runs/`: all runs, to choose from.
"""

from dataclasses import replace
from typing import cast
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from benchmarking.runs.domain.comparability import basis_of
from benchmarking.runs.domain.comparison import (
    RUNS_MAX,
    ComparedRun,
    MetricRow,
    RunComparison,
    RunConditionRow,
    compare,
)
from benchmarking.runs.domain.comparison_charts import comparison_charts
from benchmarking.runs.queries import runs
from benchmarking.runs.queries.runs import MODELS_MAX, RunSelection, RunView
from benchmarking.runs.web.result import conditions_of
from governance.exports.web import export
from governance.people.domain.roles import Person
from governance.people.web.current_user import person_of
from governance.rulebook.queries.catalogs import catalog_in_force
from governance.site.domain.numbers import whole_number
from governance.site.queries import bounded_page
from governance.site.web.formatting import short_digest
from weighbridge.core.errors import Invalid, Refused

PAGE_SIZE = 50
MORE = f"All ({MODELS_MAX} are listed, others by team)"


class RunFilterForm(forms.Form):
    """Filters of the list of runs, each with the values that the person may see."""

    model = forms.ChoiceField(required=False)
    team = forms.ChoiceField(required=False)
    dataset = forms.ChoiceField(label="Data set", required=False)

    def __init__(self, data: QueryDict, *, person: Person) -> None:
        """Offer the choices; an unknown value filters nothing."""
        super().__init__(data)
        choices = runs.choices_for(person, team=data.get("team", ""), model=whole_number(data.get("model", "")))
        for name in self.fields:
            field = cast("forms.ChoiceField", self.fields[name])
            every = MORE if name == "model" and choices.has_more_models else "All"
            field.choices = [("", every), *((str(key), label) for key, label in getattr(choices, name))]

    def filters(self) -> RunSelection:
        """The filters. Invalid values are ignored."""
        self.is_valid()
        given = self.cleaned_data
        model, dataset = given.get("model") or None, given.get("dataset") or None
        return RunSelection(model and int(model), given.get("team", ""), dataset and int(dataset))


@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """`/runs/`: all runs that the user may see, newest first, with boxes to compare some of them."""
    person = person_of(request)
    form = RunFilterForm(request.GET, person=person)
    filters = form.filters()
    page = bounded_page(runs.listed(person=person, filters=filters), size=PAGE_SIZE, number=request.GET.get("page"))
    context = {
        "page": page,
        "runs": runs.describe_all(page.object_list),
        "form": form,
        "is_filtered": filters != RunSelection(),
        "crumbs": (("Models", reverse("governance:models")), ("Runs", "")),
    }
    return render(request, "benchmarking/runs/runs.html", context)


@require_safe
def exported(request: HttpRequest, kind: str) -> HttpResponseBase:
    """`/runs.csv` and `.xlsx`: all pages of the filtered list."""
    person = person_of(request)
    filters = RunFilterForm(request.GET, person=person).filters()
    return export(runs.table(person=person, filters=filters), kind=kind)


@require_safe
def side_by_side(request: HttpRequest) -> HttpResponse:
    """Compare the runs in the `run` parameters with the first of them; `only=differences` hides equal rows."""
    only_differences = request.GET.get("only") == "differences"
    context = {
        "only_differences": only_differences,
        "crumbs": (("Runs", reverse("benchmarking:runs")), ("Compare runs", "")),
    }
    try:
        chosen = _chosen(request)
        comparison = compare([_compared_run(view) for view in chosen], catalog=catalog_in_force())
    except Refused as refusal:
        return render(
            request, "benchmarking/runs/compare.html", context | {"refusal": refusal.reason}, status=refusal.status
        )
    rows: list[MetricRow | RunConditionRow] = [*comparison.metric_values, *comparison.conditions]
    addresses = [reverse("benchmarking:run", args=[view.id]) for view in chosen]
    context |= {
        "views": chosen,
        "charts": comparison_charts(comparison.metric_values, labels=comparison.labels, links=addresses),
        "not_comparable": _not_comparable(comparison),
        "comparison": _only_differences(comparison) if only_differences else comparison,
        "hidden": sum(not row.differs for row in rows),
        "everything_url": _address(chosen),
        "differences_url": _address(chosen, only="differences"),
        "orders": [(view, _address([view, *(other for other in chosen if other is not view)])) for view in chosen],
    }
    return render(request, "benchmarking/runs/compare.html", context)


def _chosen(request: HttpRequest) -> list[RunView]:
    given = dict.fromkeys(map(whole_number, request.GET.getlist("run")))
    numbers = [number for number in given if number is not None]
    if len(numbers) < len(given):
        raise Invalid("A run must be a number.", field="run")
    if len(numbers) > RUNS_MAX:
        raise Invalid(f"At most {RUNS_MAX} runs can be compared; {len(numbers)} were given.", field="run")
    person = person_of(request)
    return [runs.describe(runs.find(run_id=number, person=person)) for number in numbers]


def _not_comparable(comparison: RunComparison) -> list[tuple[str, list[str]]]:
    """The runs that differ from the first in what metrics depend on, each with the aspects."""
    found = []
    for place, label in enumerate(comparison.labels):
        aspects = {aspect: None for row in comparison.metric_values for aspect in row.cells[place].aspects}
        found.append((label, list(aspects)))
    return [(label, aspects) for label, aspects in found if aspects]


def _compared_run(view: RunView) -> ComparedRun:
    metric_values = {metric.name: metric for metric in view.metrics}
    conditions = {f"{part.title}: {name}": value for part in conditions_of(view.manifest) for name, value in part.pairs}
    about = {"state": view.state, "verdict": view.verdict, "version": view.model, "data": _data_words(view)}
    basis = basis_of(
        data_digest=view.dataset_digest,
        scenario=view.scenario,
        hardware=f"{view.hardware} {view.worker_machine}".strip(),
        manifest=view.manifest,
    )
    return ComparedRun(f"{view.model}, run {view.id}", metric_values, about | conditions, basis)


def _data_words(view: RunView) -> str:
    """The name of the data set with its digest, because two teams may give one name to different data."""
    return f"{view.dataset} ({short_digest(view.dataset_digest)})" if view.dataset else ""


def _only_differences(comparison: RunComparison) -> RunComparison:
    return replace(
        comparison,
        metric_values=tuple(row for row in comparison.metric_values if row.differs),
        conditions=tuple(row for row in comparison.conditions if row.differs),
    )


def _address(views: list[RunView], **more: str) -> str:
    query = [*(("run", str(view.id)) for view in views), *more.items()]
    return f"{reverse('benchmarking:compare')}?{urlencode(query)}"
