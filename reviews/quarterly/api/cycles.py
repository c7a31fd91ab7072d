"""`cycles/`: the quarterly review for programs, its agenda edited and its meeting led as on the page."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.accounts.web.second_factor import check_step_by_api
from governance.inventory.queries import find_named
from governance.people.api.caller import asker
from governance.people.api.steps import StepSubject
from governance.people.domain.roles import Person
from governance.people.queries.people import person_of
from reviews.quarterly.actions import agenda, cycles, meeting
from reviews.quarterly.api import answers as said
from reviews.quarterly.api import inputs
from reviews.quarterly.domain.decisions import NEEDS_FACTOR, TakenDecision
from reviews.quarterly.models import AgendaItem, ReviewCycle
from reviews.quarterly.queries import cycles as reads
from reviews.quarterly.rules import check_close_meeting, check_lead_meeting
from reviews.requests.queries import requests
from reviews.workflow.api.inputs import ReasonInput
from weighbridge.core.errors import Invalid


class Cycles(APIView):
    """Every quarter's review."""

    @extend_schema(operation_id="cycles_list", responses=said.CycleAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The latest quarter first."""
        _, person, _ = asker(request)
        return Response(said.CycleAnswer(reads.list_cycles(person=person), many=True).data)


class Cycle(APIView):
    """One quarter's review."""

    @extend_schema(operation_id="cycles_retrieve", responses=said.CycleDetailAnswer)
    def get(self, request: Request, quarter: str) -> Response:
        """Agenda, scorecard, attendance, decisions, action items and minutes."""
        _, person, now = asker(request)
        return Response(said.CycleDetailAnswer(_whole(quarter=quarter, person=person, now=now)).data)


def _found(*, quarter: str, item_id: int | None = None, person: Person) -> Mapping[str, object]:
    cycle = reads.find(quarter=quarter, person=person)
    return {"cycle": cycle} if item_id is None else {"item": reads.find_item(cycle=cycle, item_id=item_id)}


def _whole(*, quarter: str, item_id: int | None = None, person: Person, now: datetime) -> reads.CycleView:
    """The cycle as it stands now, for whoever asked."""
    return reads.describe(cycle=reads.find(quarter=quarter, person=person), person=person, now=now)


def _add(*, model: str | None = None, request: str | None = None, **given: Any) -> None:
    if model and request:
        raise Invalid("Name the model or the request; a request brings its model.", field="request")
    person = person_of(given["by"])
    asset = find_named(model, person=person) if model else None
    agenda.add(asset=asset, request=requests.find(ref=request, person=person) if request else None, **given)


def _decide(
    *,
    item: AgendaItem,
    decisions_seen: int | None = None,
    revision_seen: int | None = None,
    by: User,
    now: datetime,
    **given: Any,
) -> None:
    decided = TakenDecision(**given)
    if decided.kind in NEEDS_FACTOR:
        check_step_by_api()
    seen = {"decisions_seen": decisions_seen, "revision_seen": revision_seen}
    meeting.decide(item=item, decided=decided, **seen, by=by, now=now)


def _leads(person: Person, **_: object) -> None:
    check_lead_meeting(person)


def _closes(person: Person, cycle: ReviewCycle) -> None:
    check_close_meeting(person, chair_id=cycle.chair_id)


CYCLE = StepSubject(_found, _whole, said.CycleDetailAnswer)

open_meeting = CYCLE.step(
    "cycles_hold", cycles.open_meeting, "Open the meeting; whoever does is in the chair.", check=_leads
)
close = CYCLE.step(
    "cycles_close",
    cycles.close,
    "Close the meeting: the minutes are issued, and nothing of the cycle changes any more.",
    takes=inputs.MeetingEndInput,
    check=_closes,
)
take_chair = CYCLE.step(
    "cycles_take_chair", cycles.take_chair, "Take the chair of an open meeting from whoever had it.", check=_leads
)
write_notes = CYCLE.step(
    "cycles_write_notes",
    cycles.write_notes,
    "Write the notes of an open meeting, in place of those written before; they become part of the minutes.",
    takes=inputs.NotesInput,
    check=_leads,
)
refresh = CYCLE.step(
    "cycles_gather",
    cycles.refresh,
    "Gather the agenda now, while the cycle collects; the tick does so once an hour.",
    check=_leads,
)
move_cut_off = CYCLE.step(
    "cycles_move_cut_off",
    cycles.move_cut_off,
    "Move the cut-off, with the reason, before it has passed.",
    takes=inputs.CutOffInput,
    check=_leads,
)
attend = CYCLE.step(
    "cycles_attend",
    meeting.record_attendance,
    "Note that somebody attends; noted again, the side is corrected.",
    takes=inputs.AttendanceInput,
    status=201,
    check=_leads,
)
leave = CYCLE.step(
    "cycles_leave",
    meeting.remove_attendance,
    "Take back that somebody attends; what was decided before stands.",
    takes=inputs.LeavingInput,
    check=_leads,
)
add_item = CYCLE.step(
    "cycles_add_item",
    _add,
    "Put something on the agenda, last; move it where it belongs. Send an Idempotency-Key.",
    takes=inputs.ItemInput,
    status=201,
    check=_leads,
)
remove_item = CYCLE.step(
    "cycles_remove_item",
    agenda.remove,
    "Take an item off, with the reason; it is not gathered again, and the minutes say so.",
    takes=ReasonInput,
    check=_leads,
)
put_back_item = CYCLE.step(
    "cycles_put_back_item", agenda.put_back, "Put an item that was taken off back on the agenda.", check=_leads
)
move_item = CYCLE.step(
    "cycles_move_item",
    agenda.move,
    "Move an item to another position; the order then stays as people made it.",
    takes=inputs.PositionInput,
    check=_leads,
)
decide = CYCLE.step(
    "cycles_decide",
    _decide,
    "Decide; with quorum, an owner and a due date. What it implies happens in the same transaction.",
    takes=inputs.DecisionInput,
    status=201,
    check=_leads,
)
