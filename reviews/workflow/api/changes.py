"""Changes of what a request is about: texts and data, another file, a copy."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.site.api.shapes import read
from reviews.requests.queries.requests import parties_of
from reviews.requests.rules import check_edit, check_exchange, check_file
from reviews.workflow.actions import requests
from reviews.workflow.actions.drafting import amendments
from reviews.workflow.actions.drafting.amendments import Amendment
from reviews.workflow.api.answers import ReviewAnswer, said
from reviews.workflow.api.inputs import AmendmentInput, CopyInput, ExchangeInput, found
from reviews.workflow.api.requests import dataset_of, version_of


class Amendments(APIView):
    """Other texts or data."""

    @extend_schema(operation_id="requests_amend", request=AmendmentInput, responses=ReviewAnswer)
    def post(self, request: Request, ref: str) -> Response:
        """Change texts or data as the next revision; every vote on the one before is void."""
        row, user, person, now = found(request, ref)
        check_edit(person, parties_of(row))
        given = read(AmendmentInput, request.data)
        said_of_it = {name: given.pop(name) for name in ("reason", "revision") if name in given}
        amendment = Amendment(**given | {"dataset": dataset_of(given.get("dataset"), person)})
        row = amendments.amend(request=row, amendment=amendment, **said_of_it, by=user, now=now)
        return Response(said(row, person, now))


class Exchange(APIView):
    """Another file."""

    @extend_schema(operation_id="requests_exchange", request=ExchangeInput, responses={201: ReviewAnswer})
    def post(self, request: Request, ref: str) -> Response:
        """Withdraw the request, and draft one for another version of its model; answers with the draft."""
        row, user, person, now = found(request, ref)
        check_exchange(person, parties_of(row))
        given = read(ExchangeInput, request.data)
        version = version_of(given["model_version"], person)
        draft = amendments.exchange(request=row, version=version, reason=given["reason"], by=user, now=now)
        return Response(said(draft, person, now), status=201)


class Copies(APIView):
    """A copy of a request."""

    @extend_schema(operation_id="requests_file_again", request=CopyInput, responses={201: ReviewAnswer})
    def post(self, request: Request, ref: str) -> Response:
        """Draft a new request with texts, environment, data and candidates of this one, without its metric values."""
        row, user, person, now = found(request, ref)
        check_file(person, team=row.team.slug)
        given = read(CopyInput, request.data)
        version = version_of(given["model_version"], person) if "model_version" in given else None
        draft = requests.file_again(request=row, version=version, by=user, now=now)
        return Response(said(draft, person, now), status=201)
