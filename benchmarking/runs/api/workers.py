"""`workers/`: the register of workers on other machines: list, propose, retire."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarking.runs.actions import workers as writes
from benchmarking.runs.actions.workers import KEY_CHARS_MAX, MACHINE_CHARS_MAX, NewWorker
from benchmarking.runs.queries import workers as reads
from benchmarking.runs.queries.workers import WorkerView
from benchmarking.runs.rules import check_register_worker
from governance.people.api.caller import asker
from governance.people.approvals.serializers import ChangeReasonInput, ProposalAnswer
from governance.rulebook.domain.benchmark_plans import HardwareClass
from governance.site.api.shapes import answer_of, choice, read_for, takes


@takes(
    NewWorker,
    name={"max_length": 60, "help_text": "Letters, digits, hyphens and underscores."},
    account={"max_length": 150, "help_text": "User name of an account without roles, whose token the worker uses."},
    machine={"max_length": MACHINE_CHARS_MAX, "help_text": "The hardware in words; it stands beside each result."},
    public_key={"max_length": KEY_CHARS_MAX, "help_text": "Ed25519, PEM."},
)
class WorkerInput(ChangeReasonInput):
    """A worker on another machine."""

    queue = choice(HardwareClass, help_text="The machine type whose runs it takes.")
    reason = serializers.CharField(min_length=10, max_length=2000)


WorkerAnswer = answer_of(
    WorkerView,
    helps={
        "run": "The run that it holds now.",
        "key_id": "Digest of its public key.",
        "retired_at": "Since then, its calls are refused.",
    },
)


class Workers(APIView):
    """Workers on other machines."""

    @extend_schema(operation_id="workers_list", responses=WorkerAnswer(many=True))
    def get(self, request: Request) -> Response:
        """All workers, and the run in the hand of each; the retired ones last."""
        _, _, now = asker(request)
        return Response(WorkerAnswer(reads.fleet(now=now), many=True).data)

    @extend_schema(operation_id="workers_propose", request=WorkerInput, responses={202: ProposalAnswer})
    def post(self, request: Request) -> Response:
        """Propose a worker; for platform leads and administrators, of whom a second one confirms the change."""
        user, person, now = asker(request)
        given = read_for(request, WorkerInput, lambda: check_register_worker(person))
        reason = given.pop("reason")
        change = writes.propose(entry=NewWorker(**given), reason=reason, by=user, now=now)
        return Response(ProposalAnswer(change).data, status=202)


class WorkerRetirement(APIView):
    """The end of a worker."""

    @extend_schema(operation_id="workers_retire", request=ChangeReasonInput, responses=WorkerAnswer)
    def post(self, request: Request, worker_id: int) -> Response:
        """Refuse its calls from now on; a run in its hand goes to another worker when its lease lapses."""
        user, person, now = asker(request)
        reason = read_for(request, ChangeReasonInput, lambda: check_register_worker(person))["reason"]
        worker = writes.retire(worker=reads.find(worker_id=worker_id), reason=reason, by=user, now=now)
        return Response(WorkerAnswer(reads.describe(worker, now=now)).data)
