"""`cycles/…/agenda/`, `chair/`, `notes/` and their like: the agenda edited and the meeting led by programs, as on the
page.
"""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.people.api.caller import asker
from governance.site.api.shapes import Input, Nothing, read
from reviews.quarterly.actions import agenda, cycles, meeting
from reviews.quarterly.api import answers as said
from reviews.quarterly.api.cycles import TEXT_CHARS_MAX, model_named, somebody, whole
from reviews.quarterly.queries import cycles as reads
from reviews.requests.queries import requests
from reviews.workflow.api.inputs import ReasonInput
from weighbridge.core.errors import Invalid


class ItemInput(Input):
    """Something no rule found; of a model, of a request (which brings its model), or of neither."""

    title = serializers.CharField(max_length=agenda.TITLE_CHARS_MAX)
    why = serializers.CharField(max_length=2_000)
    model = serializers.CharField(max_length=150, required=False, allow_null=True, help_text="Written team/model.")
    request = serializers.CharField(max_length=20, required=False, allow_null=True, help_text="Reference of a request.")


class PlaceInput(Input):
    """A place on the agenda."""

    place = serializers.IntegerField(min_value=1, help_text="Counted from 1, among the items that are on the agenda.")


class NotesInput(Input):
    """The chair's own part of the minutes."""

    notes = serializers.CharField(max_length=cycles.NOTES_CHARS_MAX, allow_blank=True)


class CutOffInput(Input):
    """Another cut-off, and why."""

    cut_off_at = serializers.DateTimeField()
    reason = serializers.CharField(max_length=TEXT_CHARS_MAX)


class LeavingInput(Input):
    """Who does not attend after all."""

    person = somebody(help_text="User name.")


class Items(APIView):
    """The agenda."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="cycles_add_item", request=ItemInput, responses={201: said.CycleDetailAnswer})
    def post(self, request: Request, quarter: str) -> Response:
        """Put something on the agenda, last; move it where it belongs. Send an Idempotency-Key."""
        user, person, now = asker(request)
        cycle = reads.find(quarter=quarter, person=person)
        given = read(ItemInput, request.data)
        if given.get("model") and given.get("request"):
            raise Invalid("Name the model or the request; a request brings its model.", field="request")
        asset = model_named(request, given["model"]) if given.get("model") else None
        about = requests.find(ref=given["request"], person=person) if given.get("request") else None
        agenda.add(cycle=cycle, title=given["title"], why=given["why"], asset=asset, request=about, by=user, now=now)
        return whole(request, quarter, status=201)


class ItemRemoval(APIView):
    """An item off the agenda."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="cycles_remove_item", request=ReasonInput, responses=said.CycleDetailAnswer)
    def post(self, request: Request, quarter: str, item_id: int) -> Response:
        """Take an item off, with the reason; it is not gathered again, and the minutes say so."""
        user, person, now = asker(request)
        item = reads.find_item(cycle=reads.find(quarter=quarter, person=person), item_id=item_id)
        agenda.remove(item=item, reason=read(ReasonInput, request.data)["reason"], by=user, now=now)
        return whole(request, quarter)


class ItemPlace(APIView):
    """An item's place on the agenda."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="cycles_move_item", request=PlaceInput, responses=said.CycleDetailAnswer)
    def post(self, request: Request, quarter: str, item_id: int) -> Response:
        """Move an item to another place; the order then stays as people made it."""
        user, person, now = asker(request)
        item = reads.find_item(cycle=reads.find(quarter=quarter, person=person), item_id=item_id)
        agenda.move(item=item, place=read(PlaceInput, request.data)["place"], by=user, now=now)
        return whole(request, quarter)


class Gathering(APIView):
    """The agenda as the rules find it."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="cycles_gather", request=Nothing, responses=said.CycleDetailAnswer)
    def post(self, request: Request, quarter: str) -> Response:
        """Gather the agenda now, while the cycle collects; the tick does so once an hour."""
        user, person, now = asker(request)
        cycle = reads.find(quarter=quarter, person=person)
        read(Nothing, request.data)
        cycles.refresh(cycle=cycle, by=user, now=now)
        return whole(request, quarter)


class CutOff(APIView):
    """The instant after which values stand still."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="cycles_move_cut_off", request=CutOffInput, responses=said.CycleDetailAnswer)
    def post(self, request: Request, quarter: str) -> Response:
        """Move the cut-off, with the reason, before it has passed."""
        user, person, now = asker(request)
        cycle = reads.find(quarter=quarter, person=person)
        cycles.move_cut_off(cycle=cycle, **read(CutOffInput, request.data), by=user, now=now)
        return whole(request, quarter)


class Chair(APIView):
    """Who leads the meeting."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="cycles_take_chair", request=Nothing, responses=said.CycleDetailAnswer)
    def post(self, request: Request, quarter: str) -> Response:
        """Take the chair of an open meeting from whoever had it."""
        user, person, now = asker(request)
        cycle = reads.find(quarter=quarter, person=person)
        read(Nothing, request.data)
        cycles.take_chair(cycle=cycle, by=user, now=now)
        return whole(request, quarter)


class Notes(APIView):
    """The notes of the meeting."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="cycles_write_notes", request=NotesInput, responses=said.CycleDetailAnswer)
    def post(self, request: Request, quarter: str) -> Response:
        """Write the notes of an open meeting, in place of those written before; they become part of the minutes."""
        user, person, now = asker(request)
        cycle = reads.find(quarter=quarter, person=person)
        cycles.write_notes(cycle=cycle, notes=read(NotesInput, request.data)["notes"], by=user, now=now)
        return whole(request, quarter)


class Leaving(APIView):
    """Who attends no more."""

    parser_classes = [JSONParser]

    @extend_schema(operation_id="cycles_leave", request=LeavingInput, responses=said.CycleDetailAnswer)
    def post(self, request: Request, quarter: str) -> Response:
        """Take back that somebody attends; what was decided before stands."""
        user, person, now = asker(request)
        cycle = reads.find(quarter=quarter, person=person)
        meeting.remove_attendance(cycle=cycle, person=read(LeavingInput, request.data)["person"], by=user, now=now)
        return whole(request, quarter)
