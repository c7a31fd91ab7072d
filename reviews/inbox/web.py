"""The page of the inbox."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from governance.people.domain.roles import Role
from governance.people.web.current_user import person_of
from reviews.inbox.queries import inbox_of


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """`/`: everything that needs an action of this person."""
    person = person_of(request)
    context = {
        "inbox": inbox_of(person=person, now=timezone.now()),
        "may_file": person.has_role(Role.REQUESTER),
        "may_vote": bool(person.roles & {Role.REVIEWER, Role.PLATFORM_LEAD, Role.FINANCE}),
    }
    return render(request, "reviews/inbox/inbox.html", context)
