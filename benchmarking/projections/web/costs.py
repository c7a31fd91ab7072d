"""`/costs/`: the calculator, whose address holds all it was asked; specs, kept projections, and several
side by side.
"""

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
from benchmarking.projections.domain.projection_table import table_of
from benchmarking.projections.web.forms import EXAMPLE, EXAMPLE_OPTIONS, Quick, SpecForm
from governance.people.web.current_user import user_of
from governance.site.web.pictures import picture_answer
from governance.site.web.refusals import show_in
from weighbridge.core.errors import Invalid, Refused
from weighbridge.costs.spec.spec_text import read_spec_text, template_text, text_of

COMPARED_MAX = 6
HOME = ("Costs", "benchmarking:costs")


@require_safe
def calculator(request: HttpRequest) -> HttpResponse:
    """The quick calculator; without a query it shows its example."""
    quick = Quick(request.GET or None)
    context: dict[str, Any] = {"quick": quick, "recent": projections.kept_by(user_of(request).pk)}
    status = 200
    asked = quick if request.GET else Quick(_query(EXAMPLE, EXAMPLE_OPTIONS))
    if asked.is_valid():
        try:
            spec = asked.spec()
            context |= {"table": table_of(projections.projected(spec, on=timezone.now().date())), "spec": _yaml(spec)}
        except Refused as refusal:
            asked.refuse(refusal.field, refusal.reason)
            status = refusal.status
    else:
        status = 400
    return render(request, "benchmarking/projections/costs.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def spec(request: HttpRequest) -> HttpResponse:
    """A spec as YAML: projected to look at, or kept, which gives it a link."""
    if request.method != "POST":
        start = request.GET.get("source", "") or template_text()
        return _spec_page(request, SpecForm(initial={"source": start}))
    if request.POST.get("then") == "edit":
        return _spec_page(request, SpecForm(initial={"source": request.POST.get("source", "")}))
    form = SpecForm(request.POST, request.FILES)
    if not form.is_valid():
        return _spec_page(request, form, status=400)
    try:
        asked = read_spec_text(_text(form.cleaned_data))
        if request.POST.get("then") == "keep":
            row = writes.keep(spec=asked, by=user_of(request), now=timezone.now())
            messages.success(request, f"“{row.title}” is kept; whoever you give its link may read it.")
            return redirect("benchmarking:projection", row.token)
        document = projections.projected(asked, on=timezone.now().date())
    except Refused as refusal:
        show_in(form, refusal)
        return _spec_page(request, form, status=refusal.status)
    return _spec_page(request, form, table=table_of(document))


@require_safe
def kept(request: HttpRequest, token: str) -> HttpResponse:
    """A kept projection; `prices=today` sets it beside today's prices."""
    row = projections.find(token)
    again = projections.replay(row, now=timezone.now()) if request.GET.get("prices") == "today" else None
    context = {
        "row": row,
        "table": table_of(row.document),
        "replay": again,
        "spec": _yaml(row.spec),
        "link": request.build_absolute_uri(reverse("benchmarking:projection", args=[token])),
        "crumbs": ((HOME[0], reverse(HOME[1])), (row.title, "")),
    }
    return render(request, "benchmarking/projections/projection.html", context)


@require_safe
def picture(request: HttpRequest, token: str, name: str) -> HttpResponse:
    """A chart of a kept projection, for an `img` of our own pages; it never changes."""
    return picture_answer(projections.picture(projections.find(token), name=name))


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Two to six kept projections side by side, the choice in the address."""
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
        raise Invalid(f"Choose two to {COMPARED_MAX} kept projections to set side by side; {len(tokens)} are chosen.")
    return tokens


def _spec_page(request: HttpRequest, form: SpecForm, *, table: object = None, status: int = 200) -> HttpResponse:
    crumbs = ((HOME[0], reverse(HOME[1])), ("As a spec", ""))
    return render(
        request,
        "benchmarking/projections/cost_spec.html",
        {"form": form, "table": table, "crumbs": crumbs},
        status=status,
    )


def _text(given: Mapping[str, Any]) -> str:
    return str(given["source"]) if given["file"] is None else text_of(given["file"])


def _yaml(spec: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(spec), sort_keys=False, allow_unicode=True, width=100)


def _query(shared: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]]) -> QueryDict:
    said = {**shared, **{f"{name}-{key}": value for name, given in options.items() for key, value in given.items()}}
    return QueryDict(urlencode(said))
