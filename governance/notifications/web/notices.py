"""The list of notifications of the reader."""

from datetime import datetime

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from governance.notifications.outbox.reading import mark_read, mark_unread, open_link
from governance.notifications.queries.notices import notices_of, unread_count
from governance.notifications.queries.relevance import readable
from governance.people.web.current_user import person_of, user_of
from governance.site.queries import bounded_page
from governance.site.web.undo import Undoable, tell, undoes
from weighbridge.core.errors import Refused

PAGE_SIZE = 50


class ReadForm(forms.Form):
    """The notification to mark as read; all of them without one."""

    id = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)


@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """`/notifications/`: what the reader was told, newest first; `?unread=1` only what is unread."""
    user, only_unread = user_of(request), request.GET.get("unread") == "1"
    rows = notices_of(user.pk)
    rows = rows.filter(read_at=None) if only_unread else rows
    page = bounded_page(rows, size=PAGE_SIZE, number=request.GET.get("page"))
    context = {
        "page": page,
        "rows": readable(page, person=person_of(request)),
        "only_unread": only_unread,
        "unread": unread_count(user.pk),
    }
    return render(request, "governance/notifications/notifications.html", context)


@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """Mark one notification as read, or all of them."""
    form = ReadForm(request.POST)
    if form.is_valid():
        pk, now = form.cleaned_data["id"], timezone.now()
        count = mark_read(person=user_of(request), ids=None if pk is None else [pk], now=now)
        if count:
            sentence = f"{count} notification{'' if count == 1 else 's'} marked as read."
            tell(request, Undoable(sentence, step="notifications read", read_at=now.isoformat()))
    return redirect("governance:notifications")


@undoes("notifications read")
def _mark_unread(*, read_at: str, by: User, now: datetime) -> str:
    count = mark_unread(person=by, read_at=datetime.fromisoformat(read_at))
    return f"{count} notification{'' if count == 1 else 's'} marked as unread."


@require_safe
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """Open the object of a link in a mail, after the log-in. Without a session, the middleware asks for it first."""
    try:
        path = open_link(token=token, person=user_of(request), now=timezone.now())
    except Refused as refusal:
        messages.warning(request, refusal.reason)
        return redirect("governance:notifications")
    return redirect(path if url_has_allowed_host_and_scheme(path, allowed_hosts=None) else "/")
