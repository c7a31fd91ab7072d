"""`worker/`: the calls of a worker on another machine, with a token of scope worker alone.

Each call about a run names the lease under which it was claimed. Files and results are streamed; a result is bounded.
"""

from http import HTTPStatus
from typing import Any, cast

from django.http import FileResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarking.runs.actions import elsewhere as writes
from benchmarking.runs.domain.byte_ranges import first_byte
from benchmarking.runs.models import Run, Worker
from benchmarking.runs.queries import workers as reads
from benchmarking.runs.queries.workers import WorkerView
from governance.inventory.actions import stored_files
from governance.jobs import actions as jobs
from governance.jobs.enums import JobState
from governance.people.api.caller import asker
from governance.people.domain.scopes import TokenScope
from governance.people.models import ApiToken
from governance.site.api.shapes import Answer, AnyAccept, Input, answer_of, read, read_for
from governance.site.domain.problems import declared_bytes
from weighbridge.core.converter import to_document
from weighbridge.core.errors import Invalid, NotAllowed, TooLarge
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.core.parsing.limits import DocumentLimits

ENVELOPE = DocumentLimits(bytes_max=20_000, values_max=200)
RESULT = DocumentLimits(bytes_max=64_000_000, values_max=8_000_000)
FORM_BYTES_MAX = RESULT.bytes_max + 100_000
WORKER = ("name", "queue", "key_id")
REASON_CHARS_MAX, PHASE_CHARS_MAX = 4_000, 120


class LeaseInput(Input):
    """The lease under which the run was claimed."""

    lease = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class ClaimInput(Input):
    """A request for work."""

    at = serializers.DateTimeField(help_text="The time by the clock of the worker.")


class RenewalInput(LeaseInput):
    """A sign of life."""

    progress = serializers.FloatField(min_value=0, max_value=1, help_text="A share of one.")
    phase = serializers.CharField(max_length=PHASE_CHARS_MAX, allow_blank=True, help_text="What it does now.")


class ResultInput(LeaseInput):
    """A signed result."""

    envelope = serializers.CharField(
        max_length=ENVELOPE.bytes_max, help_text="The signed statement (DSSE envelope, JSON)."
    )
    file = serializers.FileField(max_length=160, help_text="The result document, JSON.")


class FailureInput(LeaseInput):
    """Why the model cannot be measured."""

    reason = serializers.CharField(max_length=REASON_CHARS_MAX)


class HandBackInput(FailureInput):
    """Why this worker does not end the run."""

    is_stopped = serializers.BooleanField(default=False, help_text="Stopped in order; this uses up no attempt.")


WorkerSelfAnswer = answer_of(
    WorkerView,
    "WorkerSelfAnswer",
    only=("name", "queue", "key_id"),
    helps={"key_id": "Digest of the public key that was registered."},
    is_run_waiting=serializers.BooleanField(help_text="Whether a run of its queue is due."),
)


class OrderAnswer(Answer):
    """What a worker is to do next."""

    order = serializers.JSONField(
        allow_null=True, help_text="Run, key, lease, its seconds, and what to measure; null if nothing waits."
    )


class HeldRunAnswer(Answer):
    """A run that a worker holds, or held."""

    id = serializers.IntegerField()
    state = serializers.CharField()
    lease_until = serializers.DateTimeField(allow_null=True)


class WorkerSelf(APIView):
    """The worker that calls."""

    @extend_schema(operation_id="worker_retrieve", responses=WorkerSelfAnswer)
    def get(self, request: Request) -> Response:
        """Its name, queue and key, and whether a run waits for it."""
        worker, (_, _, now) = _worker(request), asker(request)
        worker.show_sign(now=now)
        is_waiting = reads.is_run_waiting(worker=worker, now=now)
        return Response({name: getattr(worker, name) for name in WORKER} | {"is_run_waiting": is_waiting})


class WorkerClaim(APIView):
    """The queue of the worker."""

    @extend_schema(operation_id="worker_take", request=ClaimInput, responses=OrderAnswer)
    def post(self, request: Request) -> Response:
        """Take the oldest due run; refused while the worker holds one, or if its clock is wrong."""
        user, _, now = asker(request)
        at = read_for(request, ClaimInput, lambda: _worker(request))["at"]
        _worker(request)
        order = writes.claim(at=at, by=user, now=now)
        return Response({"order": to_document(order) if order is not None else None})


class WorkerRun(APIView):
    """A run in the hand of the worker."""

    @extend_schema(operation_id="worker_run", parameters=[LeaseInput], responses=HeldRunAnswer)
    def get(self, request: Request, run_id: int) -> Response:
        """Whether the lease holds; refused once the run was canceled or the lease has lapsed."""
        return _answer(_held(request, run_id, request.query_params))


class WorkerRenewal(APIView):
    """The lease of the worker."""

    @extend_schema(operation_id="worker_renew", request=RenewalInput, responses=HeldRunAnswer)
    def post(self, request: Request, run_id: int) -> Response:
        """Renew the lease and report progress; refused once the run was canceled or the lease has lapsed."""
        _, _, now = asker(request)
        given = read_for(request, RenewalInput, lambda: _worker(request))
        run = _held(request, run_id, {"lease": given["lease"]})
        fields = {"progress": given["progress"], "phase": given["phase"]}
        jobs.renew(row=run, now=now, state=JobState.RUNNING, **fields)
        _worker(request).show_sign(now=now)
        run.refresh_from_db()
        return _answer(reads.held_run(worker=_worker(request), run_id=run_id, lease=given["lease"], now=now))


class WorkerFile(APIView):
    """A file of a run."""

    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="worker_file",
        parameters=[LeaseInput, OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="bytes=START-")],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, run_id: int, digest: str) -> HttpResponseBase:
        """The bytes with this digest, if the run needs them; with a range, from its first byte on."""
        user, _, now = asker(request)
        run = _held(request, run_id, request.query_params)
        reads.check_file(run=run, digest=digest)
        stream = stored_files.opened(digest=digest, by=user, now=now)
        size = stream.seek(0, 2)
        try:
            start = stream.seek(first_byte(request.headers.get("Range", ""), size=size))
        except Invalid:
            stream.close()
            raise
        response = FileResponse(stream, content_type="application/octet-stream")
        if start:
            response.status_code = HTTPStatus.PARTIAL_CONTENT
            response["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
        return response


class WorkerResult(APIView):
    """The result of a run."""

    parser_classes = [MultiPartParser]

    @extend_schema(operation_id="worker_result", request={"multipart/form-data": ResultInput}, responses=HeldRunAnswer)
    def post(self, request: Request, run_id: int) -> Response:
        """Store a result that the key of the worker signed for this lease; the same again has no effect."""
        user, _, now = asker(request)
        _worker(request)
        if declared_bytes(str(request.META.get("CONTENT_LENGTH") or "")) > FORM_BYTES_MAX:
            raise TooLarge(f"The form is larger than the {FORM_BYTES_MAX:,} bytes accepted here.", field="file")
        given = read(ResultInput, request.data)
        envelope = parse_json(given["envelope"].encode(), name="The envelope", field="envelope", limits=ENVELOPE)
        result = parse_json(given["file"].read(RESULT.bytes_max + 1), name="The result", field="file", limits=RESULT)
        if not isinstance(envelope, dict) or not isinstance(result, dict):
            raise Invalid("The envelope and the result must be JSON objects.", field="file")
        run = writes.finish(run_id=run_id, lease=given["lease"], envelope=envelope, result=result, by=user, now=now)
        return _answer(run)


class WorkerFailure(APIView):
    """The end of a run without a result."""

    @extend_schema(operation_id="worker_fail", request=FailureInput, responses=HeldRunAnswer)
    def post(self, request: Request, run_id: int) -> Response:
        """End the run because its model cannot be measured; the same again has no effect."""
        user, _, now = asker(request)
        given = read_for(request, FailureInput, lambda: _worker(request))
        _worker(request)
        return _answer(writes.fail(run_id=run_id, **given, by=user, now=now))


class WorkerHandBack(APIView):
    """The way of a run back to its queue."""

    @extend_schema(operation_id="worker_hand_back", request=HandBackInput, responses=HeldRunAnswer)
    def post(self, request: Request, run_id: int) -> Response:
        """Give the run back, for another worker; the same again has no effect."""
        user, _, now = asker(request)
        given = read_for(request, HandBackInput, lambda: _worker(request))
        _worker(request)
        return _answer(writes.hand_back(run_id=run_id, **given, by=user, now=now))


def _worker(request: Request) -> Worker:
    """The worker that calls; NotAllowed for everybody else, people in a browser among them."""
    token, (user, _, _) = request.auth, asker(request)
    if not isinstance(token, ApiToken) or token.scope != TokenScope.WORKER:
        raise NotAllowed("Only a token with --scope worker may do the work of a benchmark worker.", code="scope")
    return reads.calling(account=user)


def _held(request: Request, run_id: int, given: Any) -> Run:
    worker, (_, _, now) = _worker(request), asker(request)
    lease = cast("int", read(LeaseInput, given)["lease"])
    return reads.held_run(worker=worker, run_id=run_id, lease=lease, now=now)


def _answer(run: Run) -> Response:
    return Response(HeldRunAnswer(run).data)
