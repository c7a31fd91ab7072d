"""Writes of evidence by people: metric values, checklist answers, explanations of contradictions."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.db import transaction

from benchmarking.runs.actions import runs as run_actions
from benchmarking.runs.models import Run
from governance.inventory.actions import artifacts
from governance.people.queries.people import person_of
from governance.rulebook.domain.checklists import ChecklistItem, ItemKind
from reviews.evidence.domain.plausibility import slip_question
from reviews.evidence.models import ChecklistAnswer, ContradictionAnswer, MetricRecord
from reviews.evidence.queries.claims_on_record import peers_of
from reviews.evidence.queries.evidence import metric_values_of
from reviews.requests.audit import record
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.locking import lock
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.rulebook import missing_item
from reviews.snapshots.queries.allowed_steps import check_can_answer, check_can_measure_again, check_can_state_evidence
from reviews.snapshots.queries.snapshot import RequestSnapshot, snapshot_of
from reviews.workflow.actions import screening
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid, NotAllowed, NotFound, WrongState
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.catalog import MetricCatalog, MetricDefinition, Producer
from weighbridge.core.metrics.values import MetricValue, check_metric_value, number_text
from weighbridge.costs.totals import total_of

if TYPE_CHECKING:
    from django.core.files import File

MEASURED_VALID = timedelta(days=180)
STATED_BY_PEOPLE = frozenset({Basis.DECLARED, Basis.ESTIMATED})
ANSWER_CHARS_MIN = 10
SOURCE_CHARS_MAX = 300
SAMPLES_BELOW = 2**63
IMPLAUSIBLE = "implausible"
ANSWER_CHANGED = (
    "Somebody changed this answer after you opened it. Nothing was overwritten: read it, then answer again."
)
ENDED = frozenset({RequestState.DECIDED, RequestState.WITHDRAWN, RequestState.EXPIRED})


@dataclass(frozen=True, kw_only=True)
class StatedValue:
    """A metric value that a person states. `is_confirmed` says that they confirm a value far from what is usual."""

    name: str
    value: Decimal
    unit: str
    basis: Basis
    lower: Decimal | None = None
    upper: Decimal | None = None
    confidence: Decimal | None = None
    n: int | None = None
    source: str = ""
    valid_until: datetime | None = None
    is_confirmed: bool = False

    @property
    def columns(self) -> dict[str, Any]:
        """The fields stored as the metric value."""
        return {name: value for name, value in vars(self).items() if name != "is_confirmed"}


def state_metric_value(*, request: ReviewRequest, statement: StatedValue, by: User, now: datetime) -> MetricRecord:
    """Add a declared or estimated metric value. The previous value stays on record."""
    with transaction.atomic():
        row = lock(request)
        snapshot = snapshot_of(row, now=now)
        check_can_state_evidence(snapshot, person=person_of(by))
        catalog = snapshot.evidence.catalog
        _check_statement(statement, catalog, now)
        _check_total(row, statement, catalog)
        question = _check_plausible(row, statement)
        metric_value = MetricRecord.objects.create(request=row, stated_by=by, observed_at=now, **statement.columns)
        details = _value_details(metric_value) | ({"is_confirmed": "yes"} if question else {})
        record(kind="metric_value.stated", request=row, by=by, now=now, details=details)
        screening.evaluate_again(request=row, occasion="metric value stated", now=now)
    return metric_value


def _check_statement(statement: StatedValue, catalog: MetricCatalog, now: datetime) -> None:
    if statement.basis not in STATED_BY_PEOPLE:
        raise NotAllowed(
            f"Metric values with the basis {statement.basis} come from benchmarks and bills, never from a form; state "
            "the value as declared or estimated.",
            code="basis_not_stated",
            field="basis",
        )
    check_metric_value(MetricValue(**statement.columns, observed_at=now), catalog=catalog)
    _check_speaker(catalog[statement.name], statement.basis)
    if len(statement.source) > SOURCE_CHARS_MAX:
        raise Invalid(
            f"The source has {len(statement.source):,} characters; the limit is {SOURCE_CHARS_MAX}.",
            field="source",
        )
    if statement.n is not None and statement.n >= SAMPLES_BELOW:
        raise Invalid("The sample size is too large to be plausible; check it.", field="n")


def _check_speaker(definition: MetricDefinition, basis: Basis) -> None:
    """Raise Invalid unless the catalog lets people state new values of the metric with this basis."""
    name = definition.title
    if definition.is_retired:
        raise Invalid(f"{name} is retired; no new values of it are stated.", code="metric_retired", field="name")
    if Producer.PERSON not in definition.producers:
        text = f"People do not state values of {name}; they come from: {', '.join(definition.producers)}."
        raise Invalid(text, code="metric_not_stated", field="name")
    if basis not in definition.bases:
        text = f"A value of {name} cannot be {basis}; its basis is one of: {', '.join(definition.bases)}."
        raise Invalid(text, code="basis_not_accepted", field="basis")


def _check_total(request: ReviewRequest, statement: StatedValue, catalog: MetricCatalog) -> None:
    """Refuse a stated total that is smaller than the sum of its parts."""
    if not (catalog[statement.name].parts or catalog[statement.name].weighted_parts):
        return
    computed = total_of(metric_values_of(request), name=statement.name, catalog=catalog).computed
    if computed is not None and statement.value < computed.value:
        title, parts = catalog[statement.name].title, computed.source.removeprefix("computed: ")
        raise Invalid(
            f"{title} cannot be below its parts ({parts} = "
            f"{number_text(computed.value)} {computed.unit}). Leave it out, or enter a higher value.",
            code="below_parts",
            field="value",
        )


def _check_plausible(request: ReviewRequest, statement: StatedValue) -> str:
    """The question that the person confirmed; "" if there is none. Raises Invalid unless they did."""
    peers = peers_of(request, name=statement.name)
    question = slip_question(name=statement.name, value=statement.value, unit=statement.unit, peers=peers)
    if question and not statement.is_confirmed:
        raise Invalid(question, code=IMPLAUSIBLE, field="value")
    return question


def answer_item(
    *,
    request: ReviewRequest,
    item_id: str,
    text: str = "",
    upload: "File[bytes] | None" = None,
    is_attested: bool = False,
    seen: str = "",
    by: User,
    now: datetime,
) -> ChecklistAnswer:
    """Answer an item of the checklist that people answer; a file may be attached to every answer.

    `seen` is the digest of the answer that the person saw; "" says nothing about it. Raises WrongState if there is
    another one now.
    """
    with transaction.atomic():
        row = lock(request)
        snapshot = snapshot_of(row, now=now)
        check_can_answer(snapshot, person=person_of(by))
        item = _item(snapshot, item_id)
        check_can_answer(snapshot, person=person_of(by), item=item)
        _check_answer(item, text, upload, is_attested)
        earlier = row.checklist_answers.filter(item=item_id).first() or ChecklistAnswer()
        _check_seen(seen, earlier.digest)
        stored = artifacts.store(upload=upload, by=by, now=now) if upload is not None else None
        answer, _ = ChecklistAnswer.objects.update_or_create(
            request=row,
            item=item_id,
            defaults={
                "text": text,
                "is_attested": is_attested,
                "answered_by": by,
                "answered_at": now,
                "file_name": str(upload.name)[:160] if upload is not None else "",
                "file_digest": stored.digest if stored else "",
            },
        )
        details = {"item": item_id, "text": text, "file": answer.file_digest, "is_attested": is_attested}
        record(kind="checklist.answered", request=row, by=by, now=now, details=details)
    return answer


def answer_contradiction(
    *, request: ReviewRequest, name: str, text: str, seen: str = "", by: User, now: datetime
) -> ContradictionAnswer:
    """Explain why a measurement contradicts the claim. The review cannot start without it.

    `seen` is the digest of the explanation that the person saw, as of an answer to the checklist.
    """
    with transaction.atomic():
        row = lock(request)
        snapshot = snapshot_of(row, now=now)
        check_can_state_evidence(snapshot, person=person_of(by))
        if len(text.strip()) < ANSWER_CHARS_MIN:
            raise Invalid(f"Explain the difference in at least {ANSWER_CHARS_MIN} characters.", field="text")
        answered = (row for row in snapshot.evidence.contradictions if row.contradiction.name == name)
        contradicted = next(answered, None)
        if contradicted is None:
            raise NotFound(f"No measurement contradicts a claim about {name!r}.", field="name")
        _check_seen(seen, digest_of(contradicted.answer))
        contradiction = contradicted.contradiction
        claimed_id, measured_id = int(contradiction.claimed.id), int(contradiction.measured.id)
        answer, _ = ContradictionAnswer.objects.update_or_create(
            claimed_id=claimed_id,
            measured_id=measured_id,
            defaults={"request": row, "text": text, "answered_by": by, "answered_at": now},
        )
        record(kind="contradiction.answered", request=row, by=by, now=now, details={"metric": name, "text": text})
    return answer


def measure_again(*, request: ReviewRequest, run: Run, by: User, now: datetime) -> Run:
    """Queue a benchmark of the request again, while its metric values may still change."""
    with transaction.atomic():
        snapshot, ended = snapshot_of(lock(request), now=now), Run.objects.select_for_update().get(pk=run.pk)
        check_can_measure_again(snapshot, person=person_of(by), run=ended)
        return run_actions.repeat(run=ended, by=by, now=now)


def _check_seen(seen: str, present: str) -> None:
    if seen not in {"", present}:
        raise WrongState(ANSWER_CHANGED, code="changed")


def _item(snapshot: RequestSnapshot, item_id: str) -> ChecklistItem:
    for status in snapshot.evidence.checklist:
        if status.item.id == item_id:
            return status.item
    raise missing_item(request=snapshot.request, item_id=item_id)


def _check_answer(item: ChecklistItem, text: str, upload: "File[bytes] | None", is_attested: bool) -> None:
    if item.kind is ItemKind.STUDY:
        wanted = " or ".join(kind.words for kind in item.studies)
        raise Invalid(f"“{item.title}” is answered by an attached study: {wanted}. Import its file.", field="item")
    if item.kind.is_answered_by_metrics:
        raise Invalid(
            f"“{item.title}” is answered by metric values: {', '.join(item.metrics)}. State these instead.",
            field="item",
        )
    has_answer, needed = {
        ItemKind.TEXT: (bool(text.strip()), "a text"),
        ItemKind.CHOICE: (text in item.options, f"one of these answers: {', '.join(item.options)}"),
        ItemKind.FILE: (upload is not None, "a file"),
        ItemKind.ATTESTATION: (is_attested, "your confirmation"),
    }[item.kind]
    if not has_answer:
        field = "text" if item.kind is ItemKind.CHOICE else str(item.kind)
        raise Invalid(f"“{item.title}” needs {needed}.", field=field)
    if item.kind is ItemKind.TEXT and len(text.strip()) < item.min_length:
        raise Invalid(f"“{item.title}” needs at least {item.min_length} characters.", field="text")


def _value_details(metric_value: MetricRecord) -> dict[str, str]:
    return {name: str(getattr(metric_value, name)) for name in ("name", "value", "unit", "basis", "source")}
