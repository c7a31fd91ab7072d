"""How to call every write of the inventory, so that each does something."""

from collections.abc import Callable, Mapping
from datetime import datetime

from django.core.files.base import ContentFile

from governance.inventory.actions import artifacts, inventory, ownership
from governance.inventory.models import ModelAsset
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


ACTIONS: Mapping[str, Call] = {
    "governance.inventory.actions.artifacts.store": _keep,
    "governance.inventory.actions.inventory.register": _reference,
    "governance.inventory.actions.inventory.register_asset": _asset,
    "governance.inventory.actions.ownership.name_owner": _name_owner,
}
