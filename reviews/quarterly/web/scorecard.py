"""Pages for the KPIs of a model and for supplying values of a quarter."""

from dataclasses import asdict
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from governance.budgets.domain.quarters import Quarter
from governance.inventory.queries import find, visible_to
from governance.people.web.current_user import person_of, user_of
from governance.site.web.refusals import attempt, settled
from governance.site.web.undo import tell
from reviews.quarterly.actions import scorecard as writes
from reviews.quarterly.actions.scorecard import KpiSheet, SuppliedActual
from reviews.quarterly.domain.actuals_file import read_actuals
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.models import ReviewCycle
from reviews.quarterly.queries import scores
from reviews.quarterly.queries.scores import ScorecardLine
from reviews.quarterly.web.cycle_forms import ActualForm, ActualsFileForm, KpiForm
from reviews.scorecard.rules import check_edit_scorecard, check_edit_some_scorecard, may_edit_scorecard
from weighbridge.core.errors import Invalid, Refused

OPEN = (CycleState.PLANNED, CycleState.COLLECTING)
FILE_BYTES_MAX = 2_000_000
Rows = list[tuple[ScorecardLine, ActualForm]]


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
    """`/scorecard/`: the KPIs that the user may supply values for; POST stores the values entered, all or none.

    They are stored for the quarter that the page showed, which the hidden field names, or refused after its cut-off.
    """
    if request.method != "POST":
        return _show(request)
    check_edit_some_scorecard(person_of(request))
    rows = _rows(request, _quarter(), data=request.POST)
    if not all(form.is_valid() for _, form in rows):
        return _show(request, rows=rows, status=400)
    try:
        tell(request, _save_rows(request, rows))
    except Refused as refusal:
        return _show(request, rows=rows, status=refusal.status, reason=refusal.reason)
    return redirect("reviews:scorecard")


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Store values from a CSV file for the quarter that the page showed, all or none."""
    check_edit_some_scorecard(person_of(request))
    form = ActualsFileForm(request.POST, request.FILES)
    done, status = settled(request, form, lambda: _save_file(request, form))
    if done:
        return redirect("reviews:scorecard")
    return _show(request, file_form=form, status=status)


def _rows(request: HttpRequest, quarter: str, *, data: QueryDict | None = None) -> Rows:
    """The lines that the user may supply values for, each with its form."""
    lines = scores.editable_lines(person=person_of(request), quarter=quarter)
    return [(line, ActualForm(data, prefix=f"{line.team}/{line.slug}/{line.kpi}")) for line in lines]


def _save_rows(request: HttpRequest, rows: Rows) -> str:
    actuals = [
        _actual(request, model=f"{line.team}/{line.slug}", kpi=line.kpi, **form.cleaned_data)
        for line, form in rows
        if form.cleaned_data["value"] is not None
    ]
    if not actuals:
        raise Invalid("Enter at least one value.")
    return _told(len(actuals), _save(request, actuals, channel="form"))


def _told(count: int, quarter: str) -> str:
    return f"The value for {quarter} is saved." if count == 1 else f"{count:,} values for {quarter} are saved."


def _save_file(request: HttpRequest, form: forms.Form) -> str:
    file = form.cleaned_data["file"]
    if file.size > FILE_BYTES_MAX:
        raise Invalid(f"The file has more than {FILE_BYTES_MAX:,} bytes; split it.", field="file")
    actuals = [_actual(request, **asdict(row)) for row in read_actuals(file.read())]
    return _told(len(actuals), _save(request, actuals, channel="csv"))


def _save(request: HttpRequest, actuals: list[SuppliedActual], *, channel: str) -> str:
    quarter = request.POST.get("quarter", "")
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


def _show(
    request: HttpRequest,
    *,
    rows: Rows | None = None,
    file_form: forms.Form | None = None,
    status: int = 200,
    reason: str = "",
) -> HttpResponse:
    quarter = _quarter()
    context: dict[str, Any] = {
        "quarter": quarter,
        "rows": _rows(request, quarter) if rows is None else rows,
        "reason": reason,
        "file_form": file_form or ActualsFileForm(),
        "cycle": ReviewCycle.objects.filter(quarter=quarter).first(),
    }
    return render(request, "reviews/quarterly/scorecard.html", context, status=status)
