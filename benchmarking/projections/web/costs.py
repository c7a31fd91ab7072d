"""`/costs/`: the quick calculator (its address contains all inputs), cost specs, kept projections, and comparisons."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import yaml
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from benchmarking.projections import actions as writes
from benchmarking.projections import queries as projections
from benchmarking.projections.domain.cost_chart import cost_chart
from benchmarking.projections.domain.projection_table import table_of
from benchmarking.projections.web.forms import EXAMPLE, EXAMPLE_OPTIONS, QuickCalculator, SpecForm
from governance.people.web.current_user import user_of
from governance.site.web.pictures import svg_response
from governance.site.web.refusals import show_in
from weighbridge.core.errors import Invalid, Refused
from weighbridge.costs.spec.spec_text import read_spec_text, template_text, text_of

COMPARED_MAX = 6
HOME = ("Costs", "benchmarking:costs")


@require_safe
def calculator(request: HttpRequest) -> HttpResponse:
    """Show the quick calculator; without a query, with example values.

    An example whose prices are too old today is shown without a result and with the reason: nobody asked for it.
    """
    quick = QuickCalculator(request.GET or None)
    context: dict[str, Any] = {"quick": quick, "recent": projections.kept_by(user_of(request).pk)}
    status = 200
    inputs = quick if request.GET else QuickCalculator(_query(EXAMPLE, EXAMPLE_OPTIONS))
    if inputs.is_valid():
        try:
            spec = inputs.spec()
            table = table_of(projections.projected(spec, on=timezone.now().date()))
            context |= {"table": table, "bands": cost_chart(table), "spec": _yaml(spec)}
        except Refused as refusal:
            reason = inputs.add_error(refusal.field, refusal.reason)
            if request.GET:
                status = refusal.status
            else:
                context["outdated_example"] = reason
    else:
        status = 400
    return render(request, "benchmarking/projections/costs.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def spec(request: HttpRequest) -> HttpResponse:
    """Edit a cost spec as YAML; show its projection, or keep the projection and give it a link."""
    if request.method != "POST":
        start = request.GET.get("source", "") or template_text()
        return _spec_page(request, SpecForm(initial={"source": start}))
    if request.POST.get("then") == "edit":
        return _spec_page(request, SpecForm(initial={"source": request.POST.get("source", "")}))
    form = SpecForm(request.POST, request.FILES)
    if not form.is_valid():
        return _spec_page(request, form, status=400)
    try:
        parsed = read_spec_text(_text(form.cleaned_data))
        if request.POST.get("then") == "keep":
            row = writes.project_and_store(spec=parsed, by=user_of(request), now=timezone.now())
            messages.success(request, f"“{row.title}” is kept. Everybody who has its link can read it.")
            return redirect("benchmarking:projection", row.token)
        document = projections.projected(parsed, on=timezone.now().date())
    except Refused as refusal:
        show_in(form, refusal)
        return _spec_page(request, form, status=refusal.status)
    return _spec_page(request, form, table=table_of(document))


@require_safe
def detail(request: HttpRequest, token: str) -> HttpResponse:
    """Show a kept projection; `prices=today` adds the comparison with today's prices."""
    row = projections.find(token)
    replay = projections.replay(row, now=timezone.now()) if request.GET.get("prices") == "today" else None
    table = table_of(row.document)
    context = {
        "row": row,
        "table": table,
        "bands": cost_chart(table),
        "replay": replay,
        "spec": _yaml(row.spec),
        "link": request.build_absolute_uri(reverse("benchmarking:projection", args=[token])),
        "crumbs": ((HOME[0], reverse(HOME[1])), (row.title, "")),
    }
    return render(request, "benchmarking/projections/projection.html", context)


@require_safe
def picture(request: HttpRequest, token: str, name: str) -> HttpResponse:
    """Return a chart of a kept projection for an `img` element; it never changes."""
    return svg_response(projections.picture(projections.find(token), name=name))


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Compare two to six kept projections; the address contains their tokens."""
    crumbs = ((HOME[0], reverse(HOME[1])), ("Side by side", ""))
    recent = projections.kept_by(user_of(request).pk)
    try:
        rows = [projections.find(token) for token in _tokens(request.GET)]
    except Refused as refusal:
        context = {"refusal": refusal.reason, "crumbs": crumbs, "recent": recent}
        return render(request, "benchmarking/projections/projections.html", context, status=refusal.status)
    context = {"pairs": [(row, table_of(row.document)) for row in rows], "crumbs": crumbs, "recent": recent}
    return render(request, "benchmarking/projections/projections.html", context)


def _tokens(query: QueryDict) -> list[str]:
    tokens = list(dict.fromkeys(query.getlist("p")))
    if not 2 <= len(tokens) <= COMPARED_MAX:
        raise Invalid(f"Select 2 to {COMPARED_MAX} kept projections to compare; {len(tokens)} are selected.")
    return tokens


def _spec_page(request: HttpRequest, form: SpecForm, *, table: object = None, status: int = 200) -> HttpResponse:
    crumbs = ((HOME[0], reverse(HOME[1])), ("Cost spec", ""))
    return render(
        request,
        "benchmarking/projections/cost_spec.html",
        {"form": form, "table": table, "crumbs": crumbs},
        status=status,
    )


def _text(cleaned: Mapping[str, Any]) -> str:
    return str(cleaned["source"]) if cleaned["file"] is None else text_of(cleaned["file"])


def _yaml(spec: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(spec), sort_keys=False, allow_unicode=True, width=100)


def _query(shared: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]]) -> QueryDict:
    fields = {**shared, **{f"{name}-{key}": value for name, option in options.items() for key, value in option.items()}}
    return QueryDict(urlencode(fields))
