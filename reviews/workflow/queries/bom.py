"""The bill of materials of a model version, from what is on record about it."""

from datetime import datetime
from typing import Any

from governance.inventory.models import ModelVersion
from governance.people.domain.roles import Person
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.queries.requests import visible_to
from weighbridge.core.metrics.values import MetricValue, best
from weighbridge.subjects.bom import BomModel, bom_document
from weighbridge.subjects.lineage import parse_lineage


def bom_of(version: ModelVersion, *, person: Person, now: datetime) -> dict[str, Any]:
    """The bill of the version, with the metric values of its latest submitted request that the person may see."""
    rows = visible_to(person).filter(model_version=version).exclude(state=RequestState.DRAFT)
    request = rows.select_related("model_version__asset", "policy").order_by("-submitted_at", "-pk").first()
    values = _values(EvidenceSnapshot(request, now)) if request is not None else ()
    model = BomModel(
        name=f"{version.asset.team.slug}/{version.asset.slug}",
        version=version.version,
        digest=version.digest,
        task=version.asset.task,
        lineage=parse_lineage(version.lineage),
        parts=tuple(version.contained),
    )
    return bom_document(model, values=values, at=now)


def _values(evidence: EvidenceSnapshot) -> tuple[MetricValue, ...]:
    """The strongest value of each metric, by name."""
    names = sorted({value.name for value in evidence.counted_values})
    found = (best(evidence.counted_values, name=name, catalog=evidence.catalog) for name in names)
    return tuple(value for value in found if value is not None)
