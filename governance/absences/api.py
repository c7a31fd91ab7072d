"""`absences/`: who is away, and who acts in their place."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.absences.actions.absences import end_absence, state_absence
from governance.absences.actions.deputies import propose_deputy
from governance.absences.domain import Period
from governance.absences.queries import find, listed
from governance.absences.rules import check_propose_deputy, check_state_absence
from governance.absences.serializers import AbsenceAnswer, AbsenceInput, DeputyInput, EndingInput
from governance.people.api.caller import asker
from governance.people.approvals.serializers import ProposalAnswer
from governance.site.api.shapes import read_for


class Absences(GenericAPIView[Any]):
    """Absences of now and later: those the asker may see."""

    serializer_class = AbsenceAnswer

    @extend_schema(operation_id="absences_list", responses=AbsenceAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The earliest first: one's own, those as a deputy, and all of them for leads, administrators and auditors."""
        _, person, now = asker(request)
        rows = self.paginate_queryset(listed(person=person, now=now))
        return self.get_paginated_response(AbsenceAnswer(rows, many=True).data)

    @extend_schema(operation_id="absences_state", request=AbsenceInput, responses={201: AbsenceAnswer})
    def post(self, request: Request) -> Response:
        """State an absence with its deputy, for oneself; platform leads also for others, with a reason."""
        user, person, now = asker(request)
        given = read_for(request, AbsenceInput, lambda: check_state_absence(person, user_id=person.id))
        period = Period(given.pop("starts_on"), given.pop("ends_on"))
        row = state_absence(**{"person": user} | given, period=period, by=user, now=now)
        return Response(AbsenceAnswer(row).data, status=201)


class AbsenceEnd(APIView):
    """The end of an absence."""

    @extend_schema(operation_id="absences_end", request=EndingInput, responses=AbsenceAnswer)
    def post(self, request: Request, absence_id: int) -> Response:
        """End it, or take it back before it begins; the right of the deputy ends at once."""
        user, person, now = asker(request)
        row = find(absence_id=absence_id, person=person, now=now)
        given = read_for(request, EndingInput, lambda: check_state_absence(person, user_id=row.person_id))
        return Response(AbsenceAnswer(end_absence(absence=row, **given, by=user, now=now)).data)


class DeputyProposal(APIView):
    """A deputy who needs two people."""

    @extend_schema(operation_id="absences_propose_deputy", request=DeputyInput, responses={201: ProposalAnswer})
    def post(self, request: Request, absence_id: int) -> Response:
        """Propose a deputy with the roles of the absent person; a platform lead proposes, an administrator confirms."""
        user, person, now = asker(request)
        row = find(absence_id=absence_id, person=person, now=now)
        given = read_for(request, DeputyInput, lambda: check_propose_deputy(person))
        return Response(ProposalAnswer(propose_deputy(absence=row, **given, by=user, now=now)).data, status=201)
