"""Writes of the model inventory."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.audit.locking import lock_trail
from governance.inventory.actions import artifacts
from governance.inventory.actions.artifacts import SpooledUpload, Upload
from governance.inventory.actions.classification import classified
from governance.inventory.actions.ownership import name_owner
from governance.inventory.actions.retirement import adopt
from governance.inventory.domain.classification import Classification
from governance.inventory.domain.described import columns_elsewhere, columns_of
from governance.inventory.enums import Tier
from governance.inventory.models import ModelAsset, ModelVersion
from governance.inventory.queries import lineage_columns
from governance.people.models import Team
from governance.people.queries.people import person_of
from governance.people.rules import check_act_for_team
from governance.rulebook.domain.scopes import ModelTask
from weighbridge.core.errors import Invalid, NotFound
from weighbridge.core.model_files.inspection import inspect

SLUG = re.compile(r"[-a-zA-Z0-9_]{1,80}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class NewAsset:
    """A model for the inventory; `team` is a slug."""

    team: str
    slug: str
    name: str
    tier: str
    task: str
    owner: User


@dataclass(frozen=True, kw_only=True)
class NewVersion:
    """A version to register, of an existing or a new model.

    It is a file (`upload`), a file elsewhere (`uri` and `digest`), or the document of another kind (`subject`).
    `lineage` is the document of what it was made from.
    """

    asset: ModelAsset | NewAsset
    version: str
    upload: "Upload | None" = None
    uri: str = ""
    digest: str = ""
    subject: Mapping[str, Any] | None = None
    lineage: object = field(default_factory=list)


def register(*, entry: NewVersion, by: User, now: datetime) -> ModelVersion:
    """Register a version, and its model if that is new, or neither. A file is put before any lock is taken."""
    if isinstance(entry.asset, NewAsset):
        _check_asset(entry.asset, by)
    else:
        check_act_for_team(person_of(by), team=entry.asset.team.slug)
    if not entry.version.strip():
        raise Invalid("Enter the version, for example 1.4.0.", field="version")
    if entry.upload is None:
        return _entered(entry, _described_columns(entry), None, by, now)
    with SpooledUpload.read(entry.upload) as spooled:
        file_info = inspect(spooled.path, name=spooled.name)
        spooled.put(by=by, now=now)
        return _entered(entry, {"format": file_info.format, "size_bytes": spooled.size_bytes}, spooled, by, now)


def _described_columns(entry: NewVersion) -> dict[str, Any]:
    if entry.subject is not None:
        return columns_of(entry.subject)
    if not DIGEST.fullmatch(entry.digest):
        raise Invalid("The digest must be sha256: followed by 64 hexadecimal digits.", field="sha256")
    return columns_elsewhere(entry.uri, entry.digest)


def _entered(
    entry: NewVersion, columns: dict[str, Any], spooled: SpooledUpload | None, by: User, now: datetime
) -> ModelVersion:
    with transaction.atomic():
        asset = entry.asset
        if isinstance(asset, NewAsset):
            asset = register_asset(**vars(asset), by=by, now=now)
        if spooled is not None:
            stored = artifacts.store(upload=spooled, by=by, now=now)
            columns = columns | {"digest": stored.digest, "stored_as": stored.stored_as}
        if entry.lineage:
            lock_trail()  # so that no two registrations at once make a cycle
        columns = columns | lineage_columns(digest=columns["digest"], document=entry.lineage)
        return _register(asset, entry.version, columns, by, now)


def register_asset(
    *, team: str, slug: str, name: str, tier: str, task: str, owner: User, by: User, now: datetime
) -> ModelAsset:
    """Create a model in the inventory, or update its name and tier, and name its owner.

    Of a model that has versions, a milder tier or another task is proposed to the platform leads. Another person
    becomes the owner only after accepting; until then, a new model belongs to `by`.
    """
    home = _check_asset(NewAsset(team=team, slug=slug, name=name, tier=tier, task=task, owner=owner), by)
    wanted = {"name": name, "tier": tier, "task": task}
    with transaction.atomic():
        asset, is_new = ModelAsset.objects.select_for_update(no_key=True).get_or_create(
            team=home, slug=slug, defaults=wanted | {"owner": by, "created_at": now}
        )
        before, after = _described(asset), {**_described(asset), **wanted}
        if not is_new:
            counts = classified(asset=asset, wanted=Classification(tier, task), by=by, now=now)
            wanted |= vars(counts)
            after |= vars(counts)
        if is_new or before != after:
            for field, value in wanted.items():
                setattr(asset, field, value)
            asset.save()
            details = {"before": None if is_new else before, "after": after}
            audit.record(kind="model.registered", by=by, subject=("model", f"{team}/{slug}"), details=details, now=now)
        name_owner(asset=asset, owner=owner, by=by, now=now)
    return asset


def _described(asset: ModelAsset) -> dict[str, str]:
    return {"name": asset.name, "tier": asset.tier, "task": asset.task, "owner": asset.owner.username}


def _check_asset(asset: NewAsset, by: User) -> Team:
    check_act_for_team(person_of(by), team=asset.team)
    if not SLUG.fullmatch(asset.slug):
        raise Invalid("The slug of a model may contain only letters, digits, hyphens and underscores.", field="slug")
    if asset.tier not in Tier.values:
        raise Invalid(f"The tier must be one of {', '.join(Tier.values)}.", field="tier")
    if asset.task not in set(ModelTask):
        raise Invalid(f"The task must be one of {', '.join(ModelTask)}.", field="task")
    home = Team.objects.filter(slug=asset.team).first()
    if home is None:
        raise NotFound(f"There is no team {asset.team!r}.", field="team")
    return home


def _register(asset: ModelAsset, version: str, columns: Mapping[str, Any], by: User, now: datetime) -> ModelVersion:
    defaults, digest = {"registered_by": by, "registered_at": now, **columns}, columns["digest"]
    existing, is_new = ModelVersion.objects.get_or_create(asset=asset, version=version, defaults=defaults)
    if is_new:
        subject = ("model", f"{asset.team.slug}/{asset.slug}")
        details = {"version": version, "kind": existing.kind, "digest": digest}
        if existing.lineage:
            details |= {"lineage": existing.lineage}
        audit.record(kind="model.version_registered", by=by, subject=subject, details=details, now=now)
    if existing.digest != digest:
        taken = f"Version {version} is already registered with other content. Give this one a new version."
        raise Invalid(taken, code="version_taken", field="version")
    if columns["lineage"] and existing.lineage != columns["lineage"]:
        other = f"Version {version} is already registered with another lineage, which never changes."
        raise Invalid(f"{other} Register a new version.", code="lineage_fixed", field="lineage")
    if is_new:
        adopt(version=existing, by=by, now=now)
    return existing
