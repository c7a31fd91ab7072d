"""The parts of a request with the marks of a person. A mark expires when its part has changed since."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governance.people.domain.roles import Person
from reviews.evidence.queries.attested import attested_variants
from reviews.notes.domain.parts import PartName
from reviews.notes.models import ViewedPart
from reviews.packets.queries.packet_evidence import latest_variants
from reviews.packets.queries.packet_parts import budget_effects
from reviews.snapshots.queries.snapshot import RequestSnapshot
from weighbridge.core.canonical import digest_of
from weighbridge.core.converter import to_document

BUDGET = ("quarter", "unit", "mode", "allocated", "available", "reserved_by_others", "released", "this", "is_booked")


@dataclass(frozen=True, kw_only=True)
class PartView:
    """A part of a request for one person. `is_viewed` is False after a change, and then `viewed_at` is still there.

    `digest` is that of what the part shows now; a mark names it, so that nothing is marked that was not shown.
    """

    part: str
    words: str
    digest: str
    is_viewed: bool
    viewed_at: datetime | None
    revision: int | None

    @property
    def is_expired(self) -> bool:
        """Whether the part was viewed and has changed since."""
        return self.viewed_at is not None and not self.is_viewed


def part_views(snapshot: RequestSnapshot, *, person: Person) -> tuple[PartView, ...]:
    """Every part of the request, with the mark of the person."""
    rows = {row.part: row for row in ViewedPart.objects.filter(request=snapshot.request, person_id=person.id)}
    return tuple(_part_view(part, rows.get(part.value), snapshot) for part in PartName)


def part_digest(snapshot: RequestSnapshot, *, part: PartName) -> str:
    """The digest of what the part shows now."""
    return digest_of(_PARTS[part](snapshot))


def _part_view(part: PartName, row: ViewedPart | None, snapshot: RequestSnapshot) -> PartView:
    digest = part_digest(snapshot, part=part)
    return PartView(
        part=part.value,
        words=part.words,
        digest=digest,
        is_viewed=row is not None and row.digest == digest,
        viewed_at=row.viewed_at if row else None,
        revision=row.revision if row else None,
    )


def _metric_values(snapshot: RequestSnapshot) -> Any:
    """The values, those on record that count instead of claims, the limits, and what contradicts a claim."""
    evidence = snapshot.evidence
    shown = (evidence.own_values, evidence.binding_values, evidence.limits, evidence.contradictions)
    return [to_document(each) for each in shown]


def _costs(snapshot: RequestSnapshot) -> Any:
    """The projections and the budget; not the forecast, which changes with every day."""
    projections = [[row.number, row.option, row.projection.digest] for row in snapshot.evidence.projections]
    return [projections, [[str(getattr(effect, name)) for name in BUDGET] for effect in budget_effects(snapshot)]]


def _policy(snapshot: RequestSnapshot) -> Any:
    if snapshot.request.policy is None:
        return None
    return [to_document(snapshot.evidence.policy_evaluation), sorted(snapshot.evidence.waived)]


def _checklist(snapshot: RequestSnapshot) -> Any:
    """What answers the items, and which of them are complete; not the reasons, which tell times and names."""
    evidence = snapshot.evidence
    return [
        [[row.item, row.text, row.file_digest, row.is_attested, row.answered_by_id] for row in evidence.answers],
        dict(evidence.waived_items),
        [[row.kind, row.file_digest, row.part] for row in evidence.studies],
        [[reply.item_id, reply.text, reply.inherited_from] for reply in evidence.inherited],
        [[status.item.id, status.is_complete, status.is_waived] for status in evidence.checklist],
    ]


def _benchmarks(snapshot: RequestSnapshot) -> Any:
    return [[run.pk, run.state, run.verdict, run.result_digest] for run in snapshot.evidence.runs]


def _alternatives(snapshot: RequestSnapshot) -> Any:
    variants, _ = latest_variants(snapshot.evidence.run_views)
    rows = variants or attested_variants(snapshot.request)
    return [to_document(rows), [rival.digest for rival in snapshot.rivals]]


def _packet(snapshot: RequestSnapshot) -> Any:
    return [row.document_digest for row in snapshot.packets[:1]]


_PARTS: Mapping[PartName, Callable[[RequestSnapshot], Any]] = {
    PartName.METRIC_VALUES: _metric_values,
    PartName.COSTS: _costs,
    PartName.POLICY: _policy,
    PartName.CHECKLIST: _checklist,
    PartName.BENCHMARKS: _benchmarks,
    PartName.ALTERNATIVES: _alternatives,
    PartName.PACKET: _packet,
}
