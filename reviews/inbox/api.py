"""`reminders/`: what lapses soon and waits for the asker."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.people.api.caller import asker
from governance.site.api.shapes import answer_of
from reviews.inbox.queries.reminders import ReminderLine, reminders_of

ReminderAnswer = answer_of(
    ReminderLine,
    helps={
        "kind": "vote, answer, clearance, authorization or change.",
        "due_at": "When it lapses.",
        "in_place_of": "The absent person whose deputy is reminded; empty for yourself.",
        "is_escalation": "Whether nobody has acted, so that the next people in line are told.",
    },
)


class Reminders(APIView):
    """Reminders of the asker."""

    @extend_schema(operation_id="reminders_list", responses=ReminderAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The first to lapse first; none while one is absent."""
        _, person, now = asker(request)
        return Response(ReminderAnswer(reminders_of(person, now=now), many=True).data)
