"""Pages for the KPIs of a model and for supplying values of a quarter."""

from dataclasses import asdict
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from governance.budgets.domain.quarters import Quarter
from governance.inventory.queries import find, visible_to
from governance.people.web.current_user import person_of, user_of
from governance.site.web.refusals import attempt, settled
from reviews.quarterly.actions import scorecard as writes
from reviews.quarterly.actions.scorecard import KpiSheet, SuppliedActual
from reviews.quarterly.domain.actuals_file import read_actuals
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.models import ReviewCycle
from reviews.quarterly.queries import scores
from reviews.quarterly.web.cycle_forms import ActualForm, ActualsFileForm, KpiForm
from reviews.scorecard.rules import check_edit_scorecard, check_edit_some_scorecard, may_edit_scorecard
from weighbridge.core.errors import Invalid

OPEN = (CycleState.PLANNED, CycleState.COLLECTING)
FILE_BYTES_MAX = 2_000_000


@require_http_methods(["GET", "HEAD", "POST"])
def of_model(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """`/models/search/ranker/kpis/`: the KPIs of a model; POST adds or changes a KPI."""
    asset = find(team=team, slug=slug, person=person_of(request))
    form, status = KpiForm(request.POST or None), 200
    if request.method == "POST":
        check_edit_scorecard(person_of(request), team=team)

        def act() -> str:
            sheet = KpiSheet(**form.cleaned_data)
            row = writes.set_kpi(asset=asset, sheet=sheet, by=user_of(request), now=timezone.now())
            return f"{row.name} is now a KPI of {asset.name}."

        done, status = settled(request, form, act)
        if done:
            return redirect("reviews:kpis", team, slug)
    context = {
        "asset": asset,
        "kpis": scores.active_kpis(asset),
        "form": form,
        "may_edit": may_edit_scorecard(person_of(request), team=team),
        "crumbs": (
            ("Models", reverse("governance:models")),
            (asset.name, reverse("governance:model", args=[team, slug])),
            ("KPIs", ""),
        ),
    }
    return render(request, "reviews/quarterly/kpis.html", context, status=status)


@require_POST
def retire(request: HttpRequest, team: str, slug: str, kpi: str) -> HttpResponse:
    """Retire a KPI."""
    asset = find(team=team, slug=slug, person=person_of(request))
    row = scores.find_kpi(asset=asset, slug=kpi)

    def act() -> str:
        writes.retire_kpi(kpi=row, by=user_of(request), now=timezone.now())
        return f"{row.name} is retired."

    attempt(request, act)
    return redirect("reviews:kpis", team, slug)


@require_http_methods(["GET", "HEAD", "POST"])
def supply(request: HttpRequest) -> HttpResponse:
    """`/scorecard/`: the KPIs that the user may supply values for; POST stores one value."""
    form, status = ActualForm(request.POST or None), 200
    if request.method == "POST":
        check_edit_some_scorecard(person_of(request))
        done, status = settled(request, form, lambda: _save_value(request, form))
        if done:
            return redirect("reviews:scorecard")
    return _show(request, form=form, file_form=ActualsFileForm(), status=status)


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Store values from a CSV file, all or none."""
    check_edit_some_scorecard(person_of(request))
    form = ActualsFileForm(request.POST, request.FILES)
    done, status = settled(request, form, lambda: _save_file(request, form))
    if done:
        return redirect("reviews:scorecard")
    return _show(request, form=ActualForm(), file_form=form, status=status)


def _save_value(request: HttpRequest, form: forms.Form) -> str:
    return f"The value for {_save(request, [_actual(request, **form.cleaned_data)], channel='form')} is saved."


def _save_file(request: HttpRequest, form: forms.Form) -> str:
    file = form.cleaned_data["file"]
    if file.size > FILE_BYTES_MAX:
        raise Invalid(f"The file has more than {FILE_BYTES_MAX:,} bytes; split it.", field="file")
    actuals = [_actual(request, **asdict(row)) for row in read_actuals(file.read())]
    return f"{len(actuals):,} values for {_save(request, actuals, channel='csv')} are saved."


def _save(request: HttpRequest, actuals: list[SuppliedActual], *, channel: str) -> str:
    quarter = _quarter()
    writes.supply(quarter=quarter, actuals=actuals, channel=channel, by=user_of(request), now=timezone.now())
    return quarter


def _actual(request: HttpRequest, *, model: str, row: int | None = None, **given: Any) -> SuppliedActual:
    team, _, slug = model.partition("/")
    asset = visible_to(person_of(request)).filter(team__slug=team, slug=slug).first()
    if asset is None:
        where = f"Row {row}: " if row else ""
        raise Invalid(f"{where}There is no model {model!r} that you can see; write it as team/model.", field="file")
    return SuppliedActual(asset=asset, row=row, **given)


def _quarter() -> str:
    """The oldest quarter whose cut-off has not passed: the one that collects values now."""
    open_ones = ReviewCycle.objects.filter(state__in=OPEN).order_by("quarter").values_list("quarter", flat=True)
    return open_ones.first() or str(Quarter.of(timezone.now()))


def _show(request: HttpRequest, *, form: forms.Form, file_form: forms.Form, status: int) -> HttpResponse:
    quarter = _quarter()
    context: dict[str, Any] = {
        "quarter": quarter,
        "lines": scores.editable_lines(person=person_of(request), quarter=quarter),
        "form": form,
        "file_form": file_form,
        "cycle": ReviewCycle.objects.filter(quarter=quarter).first(),
    }
    return render(request, "reviews/quarterly/scorecard.html", context, status=status)
