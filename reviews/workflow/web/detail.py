"""The page of a request, and the fragment that the page polls while a benchmark runs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from governance.people.web.current_user import person_of
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.workflow.queries.view_evidence import run_entries
from reviews.workflow.web.page import context_of, load, render_page


@require_safe
def detail(request: HttpRequest, ref: str) -> HttpResponse:
    """`/requests/<ref>/`: everything about a request, on one page."""
    return render_page(request, load(request, ref))


@require_safe
def runs(request: HttpRequest, ref: str) -> HttpResponse:
    """The current state of the benchmarks. When they are finished, also every other part of the page they changed."""
    review = load(request, ref)
    snapshot = snapshot_of(review, now=timezone.now())
    if snapshot.is_measuring:
        entries = run_entries(snapshot, person=person_of(request))
        context = {"ref": ref, "entries": entries, "is_measuring": True}
        return render(request, "reviews/workflow/_fragments/runs.html", context)
    return render(request, "reviews/workflow/_fragments/measured.html", context_of(request, review, {}))
