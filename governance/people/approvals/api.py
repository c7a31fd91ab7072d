"""`changes/`: what takes two people, proposed by one and confirmed by another."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.people.actions import grants as writes
from governance.people.api.caller import asker
from governance.people.approvals import actions as approvals
from governance.people.approvals import queries as reads
from governance.people.approvals.kinds import check_confirm, check_refuse
from governance.people.approvals.serializers import (
    ChangeAnswer,
    ChangeFilters,
    ChangeReasonInput,
    GrantInput,
    ProposalAnswer,
)
from governance.people.domain.roles import Role
from governance.people.rules import check_manage_people
from governance.site.api.shapes import Nothing, read, read_for


class Changes(GenericAPIView[Any]):
    """Changes that take two people: those the asker may see."""

    serializer_class = ChangeAnswer

    @extend_schema(operation_id="changes_list", parameters=[ChangeFilters], responses=ChangeAnswer(many=True))
    def get(self, request: Request) -> Response:
        """The newest first; those of the state pending wait for a second person."""
        _, person, _ = asker(request)
        asked = read(ChangeFilters, request.query_params)
        rows = reads.listed(person=person, state=asked.get("state", ""), kind=asked.get("kind", ""))
        return self.get_paginated_response(ChangeAnswer(self.paginate_queryset(rows), many=True).data)

    @extend_schema(operation_id="changes_propose_role", request=GrantInput, responses={201: ProposalAnswer})
    def post(self, request: Request) -> Response:
        """Propose a role that judges, spends or administers for somebody else; another administrator confirms."""
        user, person, now = asker(request)
        given = read_for(request, GrantInput, lambda: check_manage_people(person))
        change = writes.propose_grant(**given | {"role": Role(given["role"])}, by=user, now=now)
        return Response(ProposalAnswer(change).data, status=201)


class ChangeDetail(APIView):
    """One change."""

    @extend_schema(operation_id="changes_retrieve", responses=ChangeAnswer)
    def get(self, request: Request, change_id: int) -> Response:
        """What would change, who proposed it and why, and how it ended."""
        _, person, _ = asker(request)
        return Response(ChangeAnswer(reads.find(change_id=change_id, person=person)).data)


class ChangeConfirmation(APIView):
    """The second person's yes."""

    @extend_schema(operation_id="changes_confirm", request=Nothing, responses=ChangeAnswer)
    def post(self, request: Request, change_id: int) -> Response:
        """Put the change in force; needs somebody who may confirm its kind and neither proposed it nor gains by it."""
        user, person, now = asker(request)
        change = reads.find(change_id=change_id, person=person)
        read_for(request, Nothing, lambda: check_confirm(person, change))
        return Response(ChangeAnswer(approvals.confirm(change=change, by=user, now=now)).data)


class ChangeRefusal(APIView):
    """The second person's no, or the proposer's."""

    @extend_schema(operation_id="changes_refuse", request=ChangeReasonInput, responses=ChangeAnswer)
    def post(self, request: Request, change_id: int) -> Response:
        """Close the proposal without effect: refused, or withdrawn by whoever proposed it."""
        user, person, now = asker(request)
        change = reads.find(change_id=change_id, person=person)
        reason = read_for(request, ChangeReasonInput, lambda: check_refuse(person, change))["reason"]
        return Response(ChangeAnswer(approvals.refuse(change=change, reason=reason, by=user, now=now)).data)
