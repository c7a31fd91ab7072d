"""Writes of cost projections."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from benchmarking.projections.models import TITLE_CHARS_MAX, CostProjection
from benchmarking.projections.queries import projected
from benchmarking.projections.rules import check_project
from governance.audit.actions import record as audit
from governance.people.queries.people import person_of

TOKEN_BYTES = 16


def project_and_store(*, spec: Mapping[str, Any], by: User, now: datetime) -> CostProjection:
    """Project a spec at today's prices and store both. Idempotent: the same spec and result are the same row."""
    check_project(person_of(by))
    return store(spec=spec, document=projected(spec, on=now.date()), by=by, now=now)


def store(*, spec: Mapping[str, Any], document: Mapping[str, Any], by: User | None, now: datetime) -> CostProjection:
    """Store a finished projection; `by` None means the system, after a benchmark."""
    digest = str(document["digest"])
    with transaction.atomic():
        if by is not None:
            User.objects.select_for_update(of=("self",), no_key=True).get(pk=by.pk)
        existing = CostProjection.objects.filter(digest=digest, kept_by=by).first()
        if existing is not None:
            return existing
        row = CostProjection.objects.create(
            token=secrets.token_urlsafe(TOKEN_BYTES),
            title=str(document["name"])[:TITLE_CHARS_MAX],
            spec=spec,
            document=document,
            digest=digest,
            kept_by=by,
            kept_at=now,
        )
        options = [option["id"] for option in document["options"]]
        details = {"title": row.title, "options": options, "snapshot": document["snapshot"]}
        audit.record(kind="projection.kept", by=by, subject=("projection", digest), details=details, now=now)
    return row
