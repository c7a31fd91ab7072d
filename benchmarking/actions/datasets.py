"""Writes of evaluation data."""

import zipfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db import transaction

from benchmarking.models import Dataset
from governance import audit
from governance.actions import artifacts
from governance.domain.refusals import Invalid
from governance.queries.people import person_of
from governance.rules import check_act_for_any_team

if TYPE_CHECKING:
    from django.core.files import File


def register(*, name: str, upload: "File[bytes]", by: User, now: datetime) -> Dataset:
    """Keep an `.npz` file with arrays x and y; the same content again is the same data set."""
    check_act_for_any_team(person_of(by))
    if not name.strip():
        raise Invalid("Give the data set a name.", field="name")
    kept = artifacts.keep(upload=upload, by=by, now=now, inspect=_inspect)
    with transaction.atomic():
        dataset, is_new = Dataset.objects.get_or_create(
            digest=kept.digest,
            defaults={
                "name": name[:120], "size_bytes": kept.size_bytes, "stored_as": kept.stored_as,
                "registered_by": by, "registered_at": now,
            },
        )  # fmt: skip
        if is_new:
            audit.record(
                kind="dataset.registered", by=by, subject=("dataset", kept.digest), details={"name": name}, now=now
            )
    return dataset


def _inspect(path: Path) -> None:
    """Only the archive's table of contents is read: arrays of numbers, never pickled objects."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {info.filename for info in archive.infolist()}
    except zipfile.BadZipFile as error:
        raise Invalid("The data must be an .npz file, as numpy.savez writes it.", field="file") from error
    if not {"x.npy", "y.npy"} <= names:
        raise Invalid("The .npz file must hold an array x (inputs) and an array y (labels).", field="file")
