"""The one question before a submission: what happens next."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from governance.people.web.current_user import person_of, user_of
from reviews.previews.queries.previews import preview_of_draft
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import find
from reviews.snapshots.queries.allowed_steps import check_can_submit
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.workflow.actions import requests
from reviews.workflow.web.drafts.panel import Panel
from weighbridge.core.errors import Refused, WrongState

SUBMITTED = {
    RequestState.CLEARED: "Submitted and cleared: no rule of the policy requires a review.",
    RequestState.EVIDENCE: "Submitted. A review is mandatory: "
    "the ticket is requested, the benchmarks are queued, the checklist is open.",
}


@require_http_methods(["GET", "HEAD", "POST"])
def submit(request: HttpRequest, ref: str) -> HttpResponse:
    """`/requests/<ref>/submit/`: what a submission means; POST with the digest of what was shown submits."""
    draft = find(ref=ref, person=person_of(request))
    try:
        check_can_submit(snapshot_of(draft, now=timezone.now()), person=person_of(request))
    except WrongState as refusal:
        messages.warning(request, refusal.reason)
        return redirect("reviews:detail", ref)
    seen = request.POST.get("seen", "")
    return _submitted(request, draft, seen) if seen else _page(request, draft)


def _submitted(request: HttpRequest, draft: ReviewRequest, seen: str) -> HttpResponse:
    try:
        row = requests.submit(request=draft, seen=seen, by=user_of(request), now=timezone.now())
    except Refused as refusal:
        draft.refresh_from_db()
        if draft.state == RequestState.DRAFT:
            return _page(request, draft, refusal=refusal)
        messages.warning(request, refusal.reason)  # it was submitted in the meantime
        return redirect("reviews:detail", draft.ref)
    messages.success(request, SUBMITTED[RequestState(row.state)])
    return redirect(f"{reverse('reviews:detail', args=[draft.ref])}#next")


def draft_panel(draft: ReviewRequest) -> Panel:
    """What a submission of the draft would mean now."""
    try:
        return Panel(preview_of_draft(draft, now=timezone.now()))
    except Refused as refusal:
        return Panel(None, refusal.reason)


def _page(request: HttpRequest, draft: ReviewRequest, *, refusal: Refused | None = None) -> HttpResponse:
    context = {
        "draft": draft,
        "panel": draft_panel(draft),
        "refusal": refusal,
        "crumbs": (
            ("Requests", reverse("reviews:list")),
            (draft.ref, reverse("reviews:detail", args=[draft.ref])),
            ("Submit", ""),
        ),
    }
    return render(request, "reviews/workflow/submit.html", context, status=refusal.status if refusal else 200)
