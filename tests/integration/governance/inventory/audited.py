"""How to call every write of the inventory, so that each does something."""

from collections.abc import Callable, Mapping
from datetime import datetime

from django.core.files.base import ContentFile

from governance.inventory.actions import artifacts, classification, inventory, ownership, retirement
from governance.inventory.domain.classification import Classification
from governance.inventory.domain.retirement import Announcement
from governance.inventory.models import ModelAsset, ModelVersion
from tests.factories.people import Cast

Call = Callable[[Cast, datetime], object]
DIGEST = "sha256:" + "ab" * 32


def _keep(cast: Cast, now: datetime) -> None:
    artifacts.store(upload=ContentFile(b"x", name="x"), by=cast.author, now=now)


def _asset(cast: Cast, now: datetime) -> ModelAsset:
    return inventory.register_asset(
        team="search",
        slug="ranker",
        name="Ranker",
        tier="T3",
        task="classification",
        owner=cast.author,
        by=cast.author,
        now=now,
    )


def _reference(cast: Cast, now: datetime) -> None:
    entry = inventory.NewVersion(asset=_asset(cast, now), version="1", uri="s3://b/m.onnx", digest=DIGEST)
    inventory.register(entry=entry, by=cast.author, now=now)


def _name_owner(cast: Cast, now: datetime) -> None:
    ownership.name_owner(asset=_asset(cast, now), owner=cast.approver, by=cast.author, now=now)


def _version(cast: Cast, now: datetime, version: str = "1") -> ModelVersion:
    entry = inventory.NewVersion(asset=_asset(cast, now), version=version, uri="s3://b/m.onnx", digest=DIGEST)
    return inventory.register(entry=entry, by=cast.author, now=now)


def _reclassify(cast: Cast, now: datetime) -> None:
    asset = _version(cast, now).asset
    classification.classified(asset=asset, wanted=Classification("T3", "ranking"), by=cast.author, now=now)


def _announce(cast: Cast, now: datetime) -> ModelVersion:
    version = _version(cast, now)
    announcement = Announcement(retires_on=now.date(), source="a mail of the vendor")
    reason = "The vendor ends the model."
    retirement.announce(version=version, announcement=announcement, reason=reason, by=cast.author, now=now)
    return version


def _adopt(cast: Cast, now: datetime) -> None:
    _announce(cast, now)
    row = ModelVersion.objects.get()
    row.pk, row.version, row.ends_on = None, "2", None
    row.save(force_insert=True)
    retirement.adopt(version=row, by=cast.author, now=now)


ACTIONS: Mapping[str, Call] = {
    "governance.inventory.actions.artifacts.store": _keep,
    "governance.inventory.actions.classification.classified": _reclassify,
    "governance.inventory.actions.retirement.adopt": _adopt,
    "governance.inventory.actions.retirement.announce": _announce,
    "governance.inventory.actions.inventory.register": _reference,
    "governance.inventory.actions.inventory.register_asset": _asset,
    "governance.inventory.actions.ownership.name_owner": _name_owner,
}
