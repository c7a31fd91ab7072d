"""The bill of materials and the model card of a version, from what is on record about it."""

from datetime import datetime
from typing import Any

from governance.inventory.models import ModelVersion
from governance.people.domain.roles import Person
from governance.rulebook.queries.catalogs import catalog_in_force
from reviews.authorizations.queries.standing import artifact_records
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.enums import ENVIRONMENTS
from reviews.requests.queries.requests import visible_to
from weighbridge.core.metrics.values import MetricValue, best
from weighbridge.subjects.documents.bom import BomModel, bom_document
from weighbridge.subjects.documents.model_card import Permission, card_text
from weighbridge.subjects.lineage import parse_lineage


def bom_of(version: ModelVersion, *, person: Person, now: datetime) -> dict[str, Any]:
    """The bill of the version, with the metric values of its latest submitted request that the person may see."""
    return bom_document(_model(version), values=_values(version, person, now), at=now)


def card_of(version: ModelVersion, *, person: Person, now: datetime) -> str:
    """The model card of the version, with the same metric values, and where it may run."""
    return card_text(
        _model(version),
        values=_values(version, person, now),
        catalog=catalog_in_force(),
        permissions=permissions_of(version, now=now),
        at=now,
    )


def permissions_of(version: ModelVersion, *, now: datetime) -> tuple[Permission, ...]:
    """The standing of the artifact in each environment in which any team filed it."""
    standings = {
        name: artifact_records(digest=version.digest, environment=name, now=now).standing for name, _ in ENVIRONMENTS
    }
    return tuple(
        Permission(name, found.standing.words, found.allowed_until)
        for name, found in standings.items()
        if found.records
    )


def _values(version: ModelVersion, person: Person, now: datetime) -> tuple[MetricValue, ...]:
    """The strongest value of each metric in the latest submitted request that the person may see."""
    rows = visible_to(person).filter(model_version=version).exclude(state=RequestState.DRAFT)
    request = rows.select_related("model_version__asset", "policy").order_by("-submitted_at", "-pk").first()
    if request is None:
        return ()
    evidence = EvidenceSnapshot(request, now)
    names = evidence.catalog.in_order(value.name for value in evidence.counted_values)
    found = (best(evidence.counted_values, name=name, catalog=evidence.catalog) for name in names)
    return tuple(value for value in found if value is not None)


def _model(version: ModelVersion) -> BomModel:
    return BomModel(
        name=f"{version.asset.team.slug}/{version.asset.slug}",
        version=version.version,
        digest=version.digest,
        task=version.asset.task,
        lineage=parse_lineage(version.lineage),
        parts=tuple(version.contained),
    )
