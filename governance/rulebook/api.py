"""`policies/`: reading, drafting, and proposing for publication."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.people.api.caller import asker
from governance.people.approvals.serializers import ChangeAnswer, ChangeReasonInput
from governance.rulebook.actions import documents as writes
from governance.rulebook.actions.publication import propose_publication, propose_retirement
from governance.rulebook.models import PolicyVersion
from governance.rulebook.queries import rulebook
from governance.rulebook.queries.rulebook import policy_version
from governance.rulebook.rules import check_propose_publication, check_write_rulebook
from governance.rulebook.serializers import PolicyAnswer, PolicyDetailAnswer, PolicyInput
from governance.site.api.shapes import read_for

KIND = "policies"


class Policies(APIView):
    """Every version of every policy."""

    @extend_schema(operation_id="policies_list", responses=PolicyAnswer(many=True))
    def get(self, request: Request) -> Response:
        """By name, the newest version first."""
        return Response(PolicyAnswer(rulebook.versions(KIND), many=True).data)

    @extend_schema(operation_id="policies_draft", request=PolicyInput, responses={201: PolicyDetailAnswer})
    def post(self, request: Request) -> Response:
        """Write the next draft; a fault is named by its place, like rules[2].limit."""
        user, person, now = asker(request)
        source = read_for(request, PolicyInput, lambda: check_write_rulebook(person))["source"]
        draft = writes.draft_policy(source=source, by=user, now=now)
        return Response(_detail(draft), status=201)


class PolicyDetail(APIView):
    """One version."""

    @extend_schema(operation_id="policies_retrieve", responses=PolicyDetailAnswer)
    def get(self, request: Request, name: str, number: int) -> Response:
        """The version with its rules, its stages and its source."""
        return Response(_detail(policy_version(name=name, number=number)))


class PolicyProposal(APIView):
    """Proposing to put a draft in force."""

    @extend_schema(operation_id="policies_propose", request=ChangeReasonInput, responses={201: ChangeAnswer})
    def post(self, request: Request, name: str, number: int) -> Response:
        """Propose the draft for publication; an administrator who neither wrote nor proposed it confirms the change."""
        user, person, now = asker(request)
        reason = read_for(request, ChangeReasonInput, lambda: check_propose_publication(person))["reason"]
        change = propose_publication(version=policy_version(name=name, number=number), reason=reason, by=user, now=now)
        return Response(ChangeAnswer(change).data, status=201)


class PolicyRetirement(APIView):
    """Proposing to take a policy out of force."""

    @extend_schema(operation_id="policies_retire", request=ChangeReasonInput, responses={201: ChangeAnswer})
    def post(self, request: Request, name: str, number: int) -> Response:
        """Propose to retire the version in force without a successor; another administrator confirms the change.

        A policy for everything stays. Requests that were submitted under the version keep it.
        """
        user, person, now = asker(request)
        reason = read_for(request, ChangeReasonInput, lambda: check_propose_publication(person))["reason"]
        change = propose_retirement(version=policy_version(name=name, number=number), reason=reason, by=user, now=now)
        return Response(ChangeAnswer(change).data, status=201)


def _detail(version: PolicyVersion) -> dict[str, Any]:
    policy = rulebook.policy_in(version)
    detail = {"source": version.source, "rules": policy.rules, "stages": policy.stages}
    return dict(PolicyDetailAnswer(asdict(rulebook.row_of(version)) | detail).data)
