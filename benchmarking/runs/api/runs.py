"""`runs/{id}/` and `sandbox/`: how a benchmark goes, and what fences models in."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarking.runs.actions import sandbox as sandbox_writes
from benchmarking.runs.queries import runs, sandbox
from benchmarking.runs.queries.runs import RunView
from benchmarking.runs.rules import check_choose_sandbox
from governance.jobs import actions as jobs
from governance.jobs.kinds import check_handle
from governance.people.api.caller import asker
from governance.people.approvals.models import Change
from governance.people.approvals.serializers import ProposalAnswer
from governance.people.domain.reasons import REASON_CHARS_MAX, REASON_CHARS_MIN
from governance.site.api.shapes import Answer, Input, Nothing, answer_of, read_for


class SandboxInput(Input):
    """Whether files of requesters may be measured without bubblewrap, and why."""

    may_skip_bubblewrap = serializers.BooleanField()
    reason = serializers.CharField(min_length=REASON_CHARS_MIN, max_length=REASON_CHARS_MAX)


RunDetailAnswer = answer_of(
    RunView,
    "RunDetailAnswer",
    without=["hardware", "variants", "pictures", "frontiers"],
    helps={
        "asked_for": "Reference of the request it was started for.",
        "state": "queued, claimed, running, done, failed, paused, dead or canceled.",
        "progress": "A share of one.",
        "verdict": "valid, indicative or invalid; empty before it is done.",
        "worker": "The worker on another machine that measures it; empty for a worker of the server.",
        "worker_key": "Digest of the public key that signed the result.",
        "repeats": "The run it repeats with the settings of its manifest.",
        "equivalence": "Of a repeated run: answer (equivalent, different, cannot_tell), values with the ratio's "
        "interval and p-value, reasons, and the differences of the environment.",
    },
)


class SandboxAnswer(Answer):
    """What fences models in."""

    may_skip_bubblewrap = serializers.BooleanField(
        help_text="Whether files of requesters are measured without bubblewrap."
    )
    last_layers = serializers.ListField(
        child=serializers.CharField(), help_text="What the last results say fenced them in, each once."
    )


class RunDetail(APIView):
    """A benchmark run."""

    @extend_schema(operation_id="runs_retrieve", responses=RunDetailAnswer)
    def get(self, request: Request, run_id: int) -> Response:
        """Progress, verdict, metric values and manifest."""
        _, person, _ = asker(request)
        return Response(RunDetailAnswer(runs.describe(runs.find(run_id=run_id, person=person))).data)


class RunCancellation(APIView):
    """Stopping a run."""

    @extend_schema(operation_id="runs_cancel", request=Nothing, responses=RunDetailAnswer)
    def post(self, request: Request, run_id: int) -> Response:
        """Cancel; whatever its worker still writes is refused."""
        user, person, now = asker(request)
        run = runs.find(run_id=run_id, person=person)
        read_for(request, Nothing, lambda: check_handle(person, run))
        return Response(RunDetailAnswer(runs.describe(jobs.cancel(row=run, by=user, now=now))).data)


class Sandbox(APIView):
    """What fences models in."""

    @extend_schema(operation_id="sandbox_retrieve", responses=SandboxAnswer)
    def get(self, request: Request) -> Response:
        """What holds, and what the last results say fenced them in."""
        return Response(SandboxAnswer(_standing()).data)

    @extend_schema(
        operation_id="sandbox_choose", request=SandboxInput, responses={200: SandboxAnswer, 202: ProposalAnswer}
    )
    def post(self, request: Request) -> Response:
        """Choose; for administrators. To allow runs without bubblewrap takes a second one: the answer is 202 and the
        proposed change.
        """
        user, person, now = asker(request)
        given = read_for(request, SandboxInput, lambda: check_choose_sandbox(person))
        done = sandbox_writes.choose(**given, by=user, now=now)
        if isinstance(done, Change):
            return Response(ProposalAnswer(done).data, status=202)
        return Response(SandboxAnswer(_standing()).data)


def _standing() -> dict[str, Any]:
    return {"may_skip_bubblewrap": sandbox.may_skip_bubblewrap(), "last_layers": sandbox.last_layers()}
