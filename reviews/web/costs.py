"""A request's costs: projected, measured and billed, and the projection as rows in the shape of FOCUS."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from governance.web.exports import export
from reviews.queries import comparison
from reviews.web.page import load


@require_safe
def compared(request: HttpRequest, ref: str) -> HttpResponse:
    """`/requests/<ref>/costs/`: the months of its authorisation side by side."""
    review = load(request, ref)
    found = comparison.of_request(request=review, now=timezone.now())
    crumbs = (("Requests", reverse("reviews:list")), (ref, reverse("reviews:detail", args=[ref])), ("Costs", ""))
    return render(request, "reviews/costs.html", {"review": review, "found": found, "crumbs": crumbs})


@require_safe
def exported(request: HttpRequest, ref: str, kind: str) -> HttpResponse:
    """`/requests/<ref>/costs.csv` and `.xlsx`."""
    review = load(request, ref)
    return export(
        comparison.table(comparison.of_request(request=review, now=timezone.now()), request=review), kind=kind
    )
