"""Writes of the model inventory."""

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from governance import audit
from governance.actions import artifacts
from governance.domain.artifacts import ArtifactInfo, inspect
from governance.domain.refusals import Invalid, NotFound
from governance.enums import Tier
from governance.models import ModelAsset, ModelVersion, Team
from governance.queries.people import person_of
from governance.rules import check_act_for_team

if TYPE_CHECKING:
    from django.core.files import File

SLUG = re.compile(r"[-a-zA-Z0-9_]{1,80}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def register_asset(*, team: str, slug: str, name: str, tier: str, owner: User, by: User, now: datetime) -> ModelAsset:
    """Enter a model in the inventory, or bring its name, tier and owner up to date."""
    check_act_for_team(person_of(by), team=team)
    if not SLUG.fullmatch(slug):
        raise Invalid("The slug of a model is written in letters, digits, hyphens and underscores.", field="slug")
    if tier not in Tier.values:
        raise Invalid(f"The tier must be one of {', '.join(Tier.values)}.", field="tier")
    home = Team.objects.filter(slug=team).first()
    if home is None:
        raise NotFound(f"There is no team {team!r}.", field="team")
    wanted = {"name": name, "tier": tier, "owner": owner}
    with transaction.atomic():
        asset, is_new = ModelAsset.objects.select_for_update().get_or_create(
            team=home, slug=slug, defaults=wanted | {"created_at": now}
        )
        before = {"name": asset.name, "tier": asset.tier, "owner": asset.owner.username}
        after = {"name": name, "tier": tier, "owner": owner.username}
        if is_new or before != after:
            for field, value in wanted.items():
                setattr(asset, field, value)
            asset.save()
            details = {"before": None if is_new else before, "after": after}
            audit.record(kind="model.registered", by=by, subject=("model", f"{team}/{slug}"), details=details, now=now)
    return asset


def register_upload(*, asset: ModelAsset, version: str, upload: "File[bytes]", by: User, now: datetime) -> ModelVersion:
    """Register a version by its file: parsed before anything loads it, hashed, and stored by content."""
    check_act_for_team(person_of(by), team=asset.team.slug)
    seen: list[ArtifactInfo] = []

    def look(path: Path) -> None:
        seen.append(inspect(path, name=str(upload.name)))

    kept = artifacts.keep(upload=upload, by=by, now=now, inspect=look)
    fields = {"format": seen[0].format, "size_bytes": kept.size_bytes, "stored_as": kept.stored_as}
    return _register(asset, version, kept.digest, fields, by, now)


def register_reference(
    *, asset: ModelAsset, version: str, uri: str, digest: str, by: User, now: datetime
) -> ModelVersion:
    """Register a version that lies elsewhere, by URI and SHA-256; it cannot be benchmarked here until it is uploaded."""
    check_act_for_team(person_of(by), team=asset.team.slug)
    if not DIGEST.fullmatch(digest):
        raise Invalid("The digest must be written sha256: followed by 64 hexadecimal digits.", field="sha256")
    suffix = Path(uri).suffix.lower()
    if suffix not in {".onnx", ".safetensors"}:
        raise Invalid(
            "The URI must name an .onnx or a .safetensors file; pickles are refused because loading one runs code.",
            field="uri",
        )
    return _register(asset, version, digest, {"format": suffix[1:], "uri": uri}, by, now)


def _register(
    asset: ModelAsset, version: str, digest: str, fields: dict[str, object], by: User, now: datetime
) -> ModelVersion:
    if not version.strip():
        raise Invalid("Give the version a name, for example 1.4.0.", field="version")
    known = ModelVersion.objects.filter(asset=asset, version=version).first()
    if known is None:
        try:
            with transaction.atomic():
                known = ModelVersion.objects.create(
                    asset=asset, version=version, digest=digest, registered_by=by, registered_at=now, **fields
                )
                subject = ("model", f"{asset.team.slug}/{asset.slug}")
                details = {"version": version, "digest": digest}
                audit.record(kind="model.version_registered", by=by, subject=subject, details=details, now=now)
        except IntegrityError:
            known = ModelVersion.objects.get(asset=asset, version=version)
    if known.digest != digest:
        raise Invalid(
            f"Version {version} is already registered with other content; give this file a new version.",
            code="version_taken",
            field="version",
        )
    return known
