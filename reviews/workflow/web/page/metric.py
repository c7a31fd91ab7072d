"""The page of one metric of a request: where its value comes from."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from governance.people.web.current_user import person_of
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.workflow.queries.decision.explanation import explanation_of
from reviews.workflow.queries.view import describe
from reviews.workflow.web.page.views import load


@require_safe
def metric(request: HttpRequest, ref: str, name: str) -> HttpResponse:
    """`/requests/<ref>/metrics/<name>/`: the values, the formula, the prices and the rules of a metric."""
    snapshot = snapshot_of(load(request, ref), now=timezone.now())
    view = describe(snapshot, person=person_of(request))
    explained = explanation_of(view, snapshot=snapshot, name=name)
    crumbs = (
        ("Requests", reverse("reviews:list")),
        (ref, reverse("reviews:detail", args=[ref])),
        ("Evidence", reverse("reviews:evidence", args=[ref])),
        (explained.metric.kind.title, ""),
    )
    context = {"view": view, "explained": explained, "crumbs": crumbs}
    return render(request, "reviews/workflow/metric.html", context)
