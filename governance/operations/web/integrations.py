"""The page of integrations: waiting and failed messages with their reasons, and how to resume them."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from governance.jobs import queries as effects
from governance.jobs.models import OutboxMessage
from governance.operations import actions as writes
from governance.people.rules import check_operate, sees_everything
from governance.people.web.current_user import person_of, user_of
from governance.site.queries import bounded_page
from governance.site.web.formatting import format_ago
from governance.site.web.refusals import refusal_of, refusals_shown

PAGE_SIZE = 30


@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """`/integrations/`: the outbox by state; its sites of tickets are a fragment of their own."""
    person, now = person_of(request), timezone.now()
    health = effects.health(now=now)
    oldest_at = health.oldest_waiting_at
    context = {
        "health": health,
        "oldest_words": f"oldest {format_ago(oldest_at, now=now)}" if oldest_at else "",
        "clock_doubt": effects.doubt_of_clock(),
        "pauses": effects.pauses(),
        "sees_rows": sees_everything(person),
        "dead": bounded_page(effects.stuck(), size=PAGE_SIZE, number=request.GET.get("page")),
        "paused": effects.paused()[:PAGE_SIZE],
        "delayed": effects.delayed()[:PAGE_SIZE],
        "cannot_operate": refusal_of(lambda: check_operate(person)),
    }
    return render(request, "governance/operations/integrations.html", context)


@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Request a connection test of every ticket site."""
    with refusals_shown(request):
        writes.request_check(by=user_of(request), now=timezone.now())
        messages.success(request, "The connections are being tested. The results will appear here.")
    return redirect("governance:integrations")


@require_POST
def resume(request: HttpRequest) -> HttpResponse:
    """Resume all paused messages."""
    with refusals_shown(request):
        count = writes.resume_all(by=user_of(request), now=timezone.now())
        messages.success(request, f"{count} paused message{'' if count == 1 else 's'} will be retried now.")
    return redirect("governance:integrations")


@require_POST
def retry(request: HttpRequest, message_id: int) -> HttpResponse:
    """Retry one dead or paused message."""
    message = get_object_or_404(OutboxMessage, pk=message_id)
    with refusals_shown(request):
        row = writes.retry(message=message, by=user_of(request), now=timezone.now())
        messages.success(request, f"{row.key} will be retried now.")
    return redirect("governance:integrations")
