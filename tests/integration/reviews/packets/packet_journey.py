"""A request on its way, step by step through the actions, so that a packet can be read at every stop."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.files.base import ContentFile

from benchmarking.runs.actions import datasets, runs
from benchmarking.runs.models import Run
from governance.budgets.actions import budgets
from governance.budgets.enums import BudgetUnit
from governance.inventory.actions import inventory
from governance.jobs import kinds
from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain import defaults
from reviews.packets.domain.packet import PacketDocument, read_packet
from reviews.packets.queries.packet import packet_of
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import evidence, measurements, requests, review
from reviews.workflow.actions.evidence import StatedValue
from tests.factories import requests as walks
from tests.factories.models import accept_ownership, new_dataset
from tests.factories.policies import LEAN
from weighbridge.core.converter import to_document
from weighbridge.core.metrics.basis import Basis

START = datetime(2026, 7, 6, 9, 30, tzinfo=UTC)
ARTIFACT = "sha256:" + "a" * 64
CLAIMS = (
    ("training_gpu_hours", "320", "gpu_h", Basis.DECLARED),
    ("training_cost_usd", "1840", "USD", Basis.ESTIMATED),
    ("inference_cost_1y_usd", "19500", "USD", Basis.ESTIMATED),
    ("total_cost_1y_usd", "21340", "USD", Basis.ESTIMATED),
    ("business_kpi_delta", "0.025", "ratio", Basis.DECLARED),
    ("latency_p95_ms", "35", "ms", Basis.DECLARED),
)
UNITS = {name: unit for name, _, unit, _ in CLAIMS}
MEASURED = {
    "latency_p50_ms": (28.4112, 28.1003, 28.7321, 0.99, 3000, "ms"),
    "latency_p95_ms": (41.8317, 40.1027, 43.9088, 0.99, 3000, "ms"),
    "latency_p99_ms": (58.9034, 52.2001, 71.4405, 0.99, 3000, "ms"),
    "throughput_per_s": (33.1482, 32.5, 33.8, 0.95, 3000, "1/s"),
    "accuracy": (0.9041, 0.8982, 0.9097, 0.95, 10000, "ratio"),
    "model_size_mb": (4.213884, None, None, None, 1, "MB"),
}
MANIFEST = {
    "digest": "sha256:" + "e" * 64,
    "machine": {"cpu": "Xeon 8481C", "cpus_usable": 2},
    "engine": {"engine": "onnxruntime"},
    "libraries": {"onnxruntime": "1.22.0"},
    "isolation": "child process, 2,048 MB, 600 s",
}


def result(
    *, verdict: str = "valid", reasons: tuple[str, ...] = (), manifest: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A result document of the toolkit."""
    fields = ("value", "lower", "upper", "confidence", "n", "unit")
    return {
        "schema": "weighbridge.result/1",
        "verdict": {"status": verdict, "reasons": [{"code": "x", "message": message} for message in reasons]},
        "metrics": {name: dict(zip(fields, metric_values, strict=True)) for name, metric_values in MEASURED.items()},
        "manifest": MANIFEST if manifest is None else manifest,
    }


class Journey:
    """Six people, a published rulebook, a budget, and one request; each step is an hour after the one before."""

    def __init__(self, key_folder: Path, settings: Any) -> None:
        from weighbridge.core.attestation import new_key_pem

        key = key_folder / "signing.pem"
        key.write_text(new_key_pem())
        settings.WEIGHBRIDGE = {**settings.WEIGHBRIDGE, "SIGNING_KEY": key}
        self.now = START
        self.team = people.create_team(slug="vision", name="Retail vision", by=None, now=START)
        self.rita = self._person("rita", "Rita", "Requester", Role.REQUESTER)
        self.otto = self._person("otto", "", "", Role.REQUESTER)
        self.anne = self._person("anne", "Anne", "Reviewer", Role.REVIEWER)
        self.bert = self._person("bert", "Bert", "Reviewer", Role.REVIEWER)
        self.lea = self._person("lea", "Lea", "Lead", Role.PLATFORM_LEAD)
        self.finn = self._person("finn", "Finn", "Finance", Role.FINANCE)
        for draft, source in (
            (rulebook.draft_checklist, defaults.text_of(defaults.CHECKLIST)),
            (rulebook.draft_policy, LEAN),
        ):
            rulebook.publish(version=draft(source=source, by=None, now=START), by=None, now=START)
        asset = inventory.register_asset(
            team="vision",
            slug="fashion",
            name="fashion-classifier",
            tier="T1",
            task="classification",
            owner=self.otto,
            by=self.rita,
            now=START,
        )
        accept_ownership(asset=asset, now=START)
        entry = inventory.NewVersion(asset=asset, version="1.4.0", uri="s3://models/fashion.onnx", digest=ARTIFACT)
        self.version = inventory.register(entry=entry, by=self.rita, now=START)
        self.stella = self._person("stella", "Stella", "Steward", Role.DATA_STEWARD)
        held_out = new_dataset("garments", team="vision", is_governed=True)
        self.data = datasets.register(entry=held_out, by=self.stella, now=START)

    def _person(self, name: str, first: str, last: str, role: Role) -> User:
        user = User.objects.create_user(name, first_name=first, last_name=last)
        people.grant_role(user=user, role=role, team=self.team if role is Role.REQUESTER else None, by=None, now=START)
        return user

    def _tick(self) -> datetime:
        self.now += timedelta(hours=1)
        return self.now

    def allocate(self, *, usd: str = "60000", gpu_h: str = "1200", quarter: str = "2026Q3") -> None:
        for unit, amount in ((BudgetUnit.USD, usd), (BudgetUnit.GPU_H, gpu_h)):
            budgets.allocate(
                holder=self.team,
                quarter=quarter,
                unit=unit,
                amount=Decimal(amount),
                key=f"{quarter}{unit}",
                by=self.finn,
                now=START,
            )

    def filed(self, *, environment: str = "prod", purpose: str = "Sort returned garments") -> ReviewRequest:
        filing = requests.Filing(
            title="Fashion classifier",
            purpose=purpose,
            environment=environment,
            business_case="Frees one of two people.",
            model_version=self.version,
            dataset=self.data,
        )
        return requests.create(filing=filing, by=self.rita, now=self._tick())

    def state(self, request: ReviewRequest, name: str, value: str, basis: Basis, **more: Any) -> None:
        statement = StatedValue(name=name, value=Decimal(value), unit=UNITS[name], basis=basis, **more)
        evidence.state_metric_value(request=request, statement=statement, by=self.rita, now=self._tick())

    def claim(self, request: ReviewRequest) -> None:
        for name, value, _, basis in CLAIMS:
            self.state(request, name, value, basis, source="request form")

    def submitted(self, request: ReviewRequest) -> ReviewRequest:
        return requests.submit(request=request, by=self.rita, now=self._tick())

    def measured(self, request: ReviewRequest, document: dict[str, Any]) -> Run:
        run = self.queued(request)
        claimed = Run.claim(pk=run.pk, now=self._tick(), lease=kinds.lease())
        assert claimed is not None
        assert runs.finish(run=claimed, result=document, now=self._tick())
        measurements.record_measurements(request=request, run=claimed, now=self.now)
        return claimed

    def queued(self, request: ReviewRequest) -> Run:
        number = Run.objects.count()
        return runs.queue(
            key=f"{request.ref}/SingleStream#{number}",
            version=self.version,
            dataset=self.data,
            plan={"scenario": "SingleStream"},
            asked_for=request.ref,
            by=self.rita,
            now=self._tick(),
        )

    def answered(self, request: ReviewRequest) -> None:
        for item in ("cheaper-alternatives", "owner-and-rollback"):
            text = f"{item}: forty characters are needed, so here they are."
            evidence.answer_item(request=request, item_id=item, text=text, by=self.rita, now=self._tick())
        evidence.answer_item(
            request=request, item_id="rollback-rehearsed", is_attested=True, by=self.otto, now=self._tick()
        )
        sheet = ContentFile(b"Where the data comes from.", name="sheet.txt")
        evidence.answer_item(request=request, item_id="data-sheet", upload=sheet, by=self.rita, now=self._tick())
        evidence.answer_contradiction(
            request=request, name="latency_p95_ms", text="The claim came from a GPU.", by=self.rita, now=self._tick()
        )

    def in_evidence(self) -> ReviewRequest:
        """Filed, claimed, submitted, measured, answered; everything but the vote."""
        self.allocate()
        request = self.filed()
        self.claim(request)
        request = self.submitted(request)
        self.measured(request, result())
        self.answered(request)
        return request

    def in_review(self) -> ReviewRequest:
        return self.asked(self.in_evidence())

    def asked(self, request: ReviewRequest) -> ReviewRequest:
        walks.explain_everything(request=request, by=self.rita, now=self.now)
        return review.request_review(request=request, by=self.rita, now=self._tick())

    def revised(self, request: ReviewRequest) -> ReviewRequest:
        return requests.revise(request=request, reason="Answered the reviewer.", by=self.rita, now=self._tick())

    def voted(
        self,
        request: ReviewRequest,
        by: User,
        choice: VoteChoice = VoteChoice.APPROVE,
        *,
        words: str = "",
        is_conditional: bool = False,
    ) -> ReviewRequest:
        stage = "gpu-budget" if by == self.lea else "technical"
        promise = review.NewCondition(text="Measure the student.", owner=self.otto, due_on=date(2026, 9, 30))
        return review.vote(
            request=request,
            stage_id=stage,
            choice=choice,
            rationale=words,
            by=by,
            now=self._tick(),
            conditions=(promise,) if is_conditional else (),
        )

    def approved(self, *, is_conditional: bool = False) -> ReviewRequest:
        request = self.in_review()
        for by in (self.anne, self.bert):
            request = self.voted(request, by)
        return self.voted(request, self.lea, words="Within the quarter.", is_conditional=is_conditional)


def packet(journey: Journey, request: ReviewRequest) -> PacketDocument:
    """The packet now, which must survive being frozen."""
    said = packet_of(snapshot_of(ReviewRequest.objects.get(pk=request.pk), now=journey.now))
    assert read_packet(to_document(said)) == said
    return said
