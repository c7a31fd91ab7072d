"""The page of the inbox."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from governance.absences.queries import absent_until
from governance.people.domain.roles import Role
from governance.people.web.current_user import person_of
from reviews.inbox.queries.inbox import inbox_of


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """`/`: everything that needs an action of this person."""
    person, now = person_of(request), timezone.now()
    content = inbox_of(person=person, now=now)
    context = {
        "inbox": content,
        "absent_until": absent_until(person_id=person.id, now=now),
        "may_file": person.has_role(Role.REQUESTER),
        "may_vote": bool(content.to_vote or person.roles & {Role.REVIEWER, Role.PLATFORM_LEAD, Role.FINANCE}),
    }
    return render(request, "reviews/inbox/inbox.html", context)
