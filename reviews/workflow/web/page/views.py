"""The tabs of a request, each at its own address, and the parts that they poll."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from governance.people.web.current_user import person_of
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import find
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.workflow.domain.tabs import Tab
from reviews.workflow.queries.view_evidence import run_entries
from reviews.workflow.web.page.content import NO_FORMS, context_of
from reviews.workflow.web.page.forms import BoundForms


def load(request: HttpRequest, ref: str) -> ReviewRequest:
    """The request, if the reader may see it."""
    return find(ref=ref, person=person_of(request))


def render_tab(
    request: HttpRequest, review: ReviewRequest, *, tab: Tab, bound: BoundForms = NO_FORMS, status: int = 200
) -> HttpResponse:
    """Render a tab. `bound` maps the names of steps to forms that were rejected."""
    context = context_of(request, review, tab=tab, bound=bound)
    return render(request, f"reviews/workflow/tabs/{tab.name.lower()}.html", context, status=status)


def _tab(tab: Tab) -> Callable[[HttpRequest, str], HttpResponse]:
    @require_safe
    def view(request: HttpRequest, ref: str) -> HttpResponse:
        return render_tab(request, load(request, ref), tab=tab)

    return view


detail = _tab(Tab.DECISION)
evidence = _tab(Tab.EVIDENCE)
costs = _tab(Tab.COSTS)
policy = _tab(Tab.POLICY)
checklist = _tab(Tab.CHECKLIST)
history = _tab(Tab.HISTORY)


@require_safe
def runs(request: HttpRequest, ref: str) -> HttpResponse:
    """The current state of the benchmarks. When they are finished, also the metric values that they changed."""
    during, after = "reviews/workflow/_fragments/runs.html", "reviews/workflow/_fragments/measured.html"
    return _polled(request, ref, during=during, after=after, tab=Tab.EVIDENCE)


@require_safe
def progress(request: HttpRequest, ref: str) -> HttpResponse:
    """How far the benchmarks are. When they are finished, also the parts of the decision that they changed."""
    during, after = "reviews/workflow/_decision/measuring.html", "reviews/workflow/_decision/decided_anew.html"
    return _polled(request, ref, during=during, after=after, tab=Tab.DECISION)


def _polled(request: HttpRequest, ref: str, *, during: str, after: str, tab: Tab) -> HttpResponse:
    review = load(request, ref)
    snapshot = snapshot_of(review, now=timezone.now())
    if snapshot.is_measuring:
        entries = run_entries(snapshot, person=person_of(request))
        return render(request, during, {"ref": ref, "entries": entries, "is_measuring": True})
    return render(request, after, context_of(request, review, tab=tab))
