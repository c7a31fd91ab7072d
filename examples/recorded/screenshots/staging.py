"""What the recording lacks for the pictures: an open meeting, saved views, a webhook, a role that waits for a second
person. The regular actions make it.
"""

from datetime import datetime

from django.contrib.auth.models import User
from django.utils import timezone

from governance.audit.actions import record as audit
from governance.notifications.actions.webhooks import add_webhook
from governance.notifications.domain.flavors import WebhookFlavor
from governance.notifications.domain.kinds import OF_TEAMS
from governance.people.actions.grants import propose_grant
from governance.people.domain.roles import Role
from governance.people.models import Team
from governance.saved_views.actions import save_view
from reviews.quarterly.actions.cycles import open_meeting
from reviews.quarterly.actions.meeting import record_attendance
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.domain.quorum import Side
from reviews.quarterly.models import ReviewCycle

VIEWS = (("reviews:list", "In review", "state=in_review"), ("benchmarking:runs", "Runs that are done", "state=done"))
ADDRESS = "https://localhost:9/weighbridge"
"""Nothing listens there, and nothing is sent: the pictures are made without workers."""


def stage() -> None:
    """Do what the people of the demo would do before they look at the pages."""
    people, now = {user.username: user for user in User.objects.all()}, timezone.now()
    with audit.origin("web"):
        _open_meeting(people, now)
        for list_name, name, filters in VIEWS:
            save_view(list_name=list_name, name=name, filters=filters, by=people["requester"], now=now)
        _add_webhook(people["admin"], now)
        why = "She stands in for Rhea while she is away."
        propose_grant(user=people["steward"], role=Role.REVIEWER, reason=why, by=people["admin"], now=now)


def _open_meeting(people: dict[str, User], now: datetime) -> None:
    lead, frozen = people["lead"], ReviewCycle.objects.get(state=CycleState.FROZEN.value)
    cycle = open_meeting(cycle=frozen, by=lead, now=now)
    for name, side in (("lead", Side.ENGINEERING), ("product", Side.PRODUCT)):
        record_attendance(cycle=cycle, person=people[name], side=side, by=lead, now=now)


def _add_webhook(by: User, now: datetime) -> None:
    add_webhook(
        team=Team.objects.get(slug="visual-search"),
        flavor=WebhookFlavor.SIGNED,
        name="Deployment pipeline",
        address=ADDRESS,
        kinds=sorted(OF_TEAMS),
        by=by,
        now=now,
    )
