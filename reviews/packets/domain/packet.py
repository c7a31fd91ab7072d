"""The content of a review packet as frozen data: the JSON document, from which the PDF is rendered.

All values are from one moment; nothing here computes a decision. `to_document` and `read_packet` are exact inverses, so
a stored packet always prints the same, even after later changes to the database models.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from cattrs.gen import make_dict_unstructure_fn, override

from benchmarking.runs.domain.alternatives import Picture, VariantLine
from reviews.packets.domain.packet_discussion import DiscussionPart
from reviews.packets.domain.packet_evidence import (
    ClaimComparison,
    CostRow,
    PolicyEvaluationPart,
    RuleLine,
    RunRow,
    StudyPart,
)
from reviews.packets.domain.packet_projection import ProjectionPart
from reviews.packets.domain.packet_trail import AuditPart
from reviews.requests.domain import wording
from weighbridge.core.converter import CONVERTER, from_document
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.units import unit_words

SCHEMA = "weighbridge.packet/1"
ADVICE = "Create a new packet."
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approver:
    """A person whose approval counts for the decision."""

    name: str
    stage: str
    approved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """The request and its decision. `outcome` is "" before the decision."""

    ref: str
    title: str
    team: str
    requester: str
    owner: str
    model_name: str
    model_version: str
    artifact_digest: str
    artifact_format: str = ""
    artifact_size_bytes: int | None = None
    purpose: str
    environment: str
    state: str
    revision: int
    bundle_digest: str = ""
    submitted_at: datetime | None = None
    outcome: str = ""
    decided_at: datetime | None = None
    rationale: str = ""
    approvers: tuple[Approver, ...] = ()

    @property
    def size_words(self) -> str:
        """The size of the artifact, or ""."""
        return wording.bytes_words(self.artifact_size_bytes) if self.artifact_size_bytes is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistRow:
    """One checklist item and its answer."""

    item_id: str
    title: str
    kind: str
    is_required: bool
    is_complete: bool
    reason: str
    answer: str = ""
    answered_by: str = ""
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRow:
    """A stage of the voting and its progress."""

    title: str
    role: str
    quorum: int
    approvals: int
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteRow:
    """One vote. `is_void`: it does not count, because of another revision or a conflict of interest.

    `in_place_of` is the absent person in whose place a deputy voted. `taken_back_at` and `taken_back_why` say when and
    why the person took the vote back, if they did.
    """

    stage: str
    person: str
    choice: str
    revision: int
    rationale: str
    cast_at: datetime
    is_void: bool = False
    in_place_of: str = ""
    taken_back_at: datetime | None = None
    taken_back_why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionPart:
    """A condition of the approval. `ended` says how it ended without being met: lifted, carried over, or "" for open.

    It is None in packets from before it was recorded: nobody can tell from them whether the condition is open.
    """

    text: str
    owner: str
    due_on: date
    met_at: datetime | None = None
    ended: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether its owner must still meet it, as far as the packet says."""
        return self.met_at is None and self.ended == ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRow:
    """The effect of the decision on a budget account: available before, this request, available after, in `unit`.

    `released` is what an approval releases of the commitments of the requests that it supersedes.
    """

    account: str
    unit: str
    before: Decimal
    this: Decimal
    after: Decimal
    reserved_by_others: Decimal | None = None
    released: Decimal = Decimal(0)

    @property
    def unit_words(self) -> str:
        """The unit for readers."""
        return unit_words(self.unit)

    @property
    def before_words(self) -> str:
        """The amount available before."""
        return wording.number_text(self.before, unit=self.unit)

    @property
    def this_words(self) -> str:
        """The amount of this request."""
        return wording.number_text(self.this, unit=self.unit)

    @property
    def released_words(self) -> str:
        """The amount that an approval releases, or ""."""
        return wording.number_text(self.released, unit=self.unit) if self.released else ""

    @property
    def after_words(self) -> str:
        """The amount available after."""
        return wording.number_text(self.after, unit=self.unit)

    @property
    def others_words(self) -> str:
        """The amount reserved by others, or ""."""
        return (
            wording.number_text(self.reserved_by_others, unit=self.unit) if self.reserved_by_others is not None else ""
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPart:
    """The ticket of the request. `key` is "" until the ticket is opened."""

    key: str
    url: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationPart:
    """The authorization issued by the decision."""

    number: str
    state: str
    environment: str
    issued_at: datetime
    expires_at: datetime
    statement_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketDocument:
    """The complete review packet."""

    cover: Cover
    business_case: str
    business_metric: str = ""
    policy_evaluation: PolicyEvaluationPart | None = None
    comparisons: tuple[ClaimComparison, ...] = ()
    costs: tuple[CostRow, ...] = ()
    projection: ProjectionPart | None = None
    checklist_title: str = ""
    checklist: tuple[ChecklistRow, ...] = ()
    stages: tuple[StageRow, ...] = ()
    votes: tuple[VoteRow, ...] = ()
    conditions: tuple[ConditionPart, ...] = ()
    budget: tuple[BudgetRow, ...] = ()
    ticket: TicketPart | None = None
    discussion: DiscussionPart | None = None
    runs: tuple[RunRow, ...] = ()
    repeated_runs: tuple[str, ...] = ()
    variants: tuple[VariantLine, ...] = ()
    pictures: tuple[Picture, ...] = ()
    studies: tuple[StudyPart, ...] = ()
    audit: AuditPart | None = None
    authorization: AuthorizationPart | None = None
    generated_at: datetime
    generator: str
    schema: str = field(default=SCHEMA)

    @property
    def latency(self) -> tuple[ClaimComparison, ...]:
        """The measured latency percentiles, smallest first, for the latency chart."""
        names = ("latency_p50_ms", "latency_p95_ms", "latency_p99_ms")
        return tuple(row for name in names for row in self.comparisons if row.name == name and row.measured)

    @property
    def contradicted(self) -> tuple[ClaimComparison, ...]:
        """The claims that a measurement contradicts."""
        return tuple(row for row in self.comparisons if row.is_contradicted)

    @property
    def fired(self) -> tuple[RuleLine, ...]:
        """The rules that did not pass: fired or indeterminate."""
        rules = self.policy_evaluation.rules if self.policy_evaluation else ()
        return tuple(rule for rule in rules if rule.status in {"fired", "indeterminate"})

    @property
    def headlines(self) -> tuple[ClaimComparison, ...]:
        """The three metric values of the cover: latency, accuracy and cost."""
        names = ("latency_p95_ms", "accuracy", "total_cost_1y_usd")
        return tuple(row for name in names for row in self.comparisons if row.name == name)

    @property
    def answered_count(self) -> int:
        """How many items of the checklist are complete."""
        return sum(row.is_complete for row in self.checklist)


# Packets from before repeated runs were told of must keep their digests, so a packet without any omits them.
CONVERTER.register_unstructure_hook(
    PacketDocument,
    make_dict_unstructure_fn(PacketDocument, CONVERTER, repeated_runs=override(omit_if_default=True)),
)


def read_packet(document: Mapping[str, Any]) -> PacketDocument:
    """The packet of a JSON document. Raises Invalid for another schema or a document that is not a packet."""
    return read_document(PacketDocument, document, schema=SCHEMA)


def read_document(kind: type[T], document: Mapping[str, Any], *, schema: str) -> T:
    """The packet of a kind. Raises Invalid like `read_packet`."""
    if document.get("schema") != schema:
        raise Invalid(f"This is not a packet with schema {schema}. {ADVICE}", field="schema")
    return from_document(kind, document, name="packet", advice=ADVICE)
