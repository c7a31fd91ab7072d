"""`inbox/`: what waits for the asker; `reminders/`: what of it lapses soon."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.people.api.caller import asker
from governance.site.api.shapes import answer_of
from reviews.inbox.domain import InboxEntry
from reviews.inbox.queries.inbox import inbox_of
from reviews.inbox.queries.reminders import ReminderLine, reminders_of

InboxAnswer = answer_of(
    InboxEntry,
    without=("batch",),
    helps={
        "kind": "Vote, your request, change, quarterly review, action item, condition, authorization, evidence, "
        "finding, token, benchmark, delivery or escalation.",
        "path": "The address of the page on which the next step is taken.",
        "step": "The next step.",
        "ends_at": "When it lapses; null for never.",
        "in_place_of": "The absent person whose deputy the asker is; empty for oneself.",
        "lapses_soon": "Whether the asker was reminded of its end.",
        "is_escalated": "Whether nobody has acted, so that the next people in line are told.",
    },
)
ReminderAnswer = answer_of(
    ReminderLine,
    helps={
        "kind": "vote, answer, clearance, authorization or change.",
        "due_at": "When it lapses.",
        "made_at": "When the asker was reminded.",
        "in_place_of": "The absent person whose deputy is reminded; empty for yourself.",
        "is_escalation": "Whether nobody has acted, so that the next people in line are told.",
    },
)


class InboxEntries(APIView):
    """What waits for the asker."""

    @extend_schema(operation_id="inbox_list", responses=InboxAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The first to lapse first, then what lapses never, oldest first; about 50 of each kind at most."""
        _, person, now = asker(request)
        return Response(InboxAnswer(inbox_of(person=person, now=now).entries, many=True).data)


class Reminders(APIView):
    """Reminders of the asker."""

    @extend_schema(operation_id="reminders_list", responses=ReminderAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The first to lapse first; none while one is absent."""
        _, person, now = asker(request)
        return Response(ReminderAnswer(reminders_of(person, now=now), many=True).data)
