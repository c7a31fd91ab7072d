"""A request's costs: projected, measured and billed, and the projection as rows in the shape of FOCUS."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from governance.exports.web import export
from governance.people.web.current_user import person_of, user_of
from governance.site.web.refusals import settled
from reviews.evidence.actions import supply
from reviews.evidence.domain.traffic_file import read_traffic
from reviews.evidence.queries import comparison
from reviews.requests.models import ReviewRequest
from reviews.scorecard.rules import may_keep_score
from reviews.workflow.web.costs_forms import TrafficForm
from reviews.workflow.web.page import load


@require_http_methods(["GET", "HEAD", "POST"])
def compared(request: HttpRequest, ref: str) -> HttpResponse:
    """`/requests/<ref>/costs/`: the months of its authorization side by side; by POST, the requests of a month or a
    file of them.
    """
    review = load(request, ref)
    form, status = TrafficForm(request.POST or None, request.FILES or None), 200
    if request.method == "POST":
        done, status = settled(request, form, lambda: _supplied(request, review, form))
        if done:
            return redirect("reviews:costs", ref)
    found = comparison.of_request(request=review, now=timezone.now())
    crumbs = (("Requests", reverse("reviews:list")), (ref, reverse("reviews:detail", args=[ref])), ("Costs", ""))
    may_supply = may_keep_score(person_of(request), team=review.team.slug)
    context = {"review": review, "found": found, "crumbs": crumbs, "form": form, "may_supply": may_supply}
    return render(request, "reviews/workflow/costs.html", context, status=status)


def _supplied(request: HttpRequest, review: ReviewRequest, form: TrafficForm) -> str:
    said = form.cleaned_data
    months = read_traffic(said["file"].read()) if said["file"] else (form.counted,)
    channel = "csv" if said["file"] else "form"
    supply(request=review, months=months, channel=channel, by=user_of(request), now=timezone.now())
    return "The requests are kept; what they explain of the difference stands with their month."


@require_safe
def exported(request: HttpRequest, ref: str, kind: str) -> HttpResponse:
    """`/requests/<ref>/costs.csv` and `.xlsx`."""
    review = load(request, ref)
    return export(
        comparison.table(comparison.of_request(request=review, now=timezone.now()), request=review), kind=kind
    )
