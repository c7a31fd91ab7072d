"""Filing a request with everything new it names: all of it is kept or, where anything is refused, nothing."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db import transaction

from benchmarking.runs.actions import datasets
from benchmarking.runs.models import Dataset
from governance.inventory.actions import inventory
from governance.inventory.actions.artifacts import Spooled
from governance.inventory.actions.inventory import NewAsset, NewVersion
from governance.inventory.models import ModelAsset, ModelVersion
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import evidence, requests
from reviews.workflow.actions.evidence import StatedValue
from reviews.workflow.actions.requests import Filing
from weighbridge.core.errors import Invalid, Refused

if TYPE_CHECKING:
    from django.core.files import File


@dataclass(frozen=True, kw_only=True)
class NewDataset:
    """Evaluation data that is not registered yet."""

    name: str
    upload: "File[bytes] | Spooled"


@dataclass(frozen=True, kw_only=True)
class Paper:
    """What somebody fills in: a version and data that are registered, or those that are to be."""

    title: str
    purpose: str
    environment: str
    business_case: str
    version: ModelVersion | NewVersion
    dataset: Dataset | NewDataset | None = None
    rivals: tuple[ModelVersion, ...] = ()
    statements: Iterable[StatedValue] = ()


def file(*, paper: Paper, draft: ReviewRequest | None = None, by: User, now: datetime) -> ReviewRequest:
    """Register what is new, file the request or change its draft, and state its metric values.

    A refusal names the field of the paper: `dataset_file`, `dataset_name`, or the metric whose value is at fault. Files
    are read and hashed before the transaction begins.
    """
    with ExitStack() as files:
        version, data = _with_file_read(paper, files)
        with transaction.atomic():
            filing = Filing(
                title=paper.title,
                purpose=paper.purpose,
                environment=paper.environment,
                business_case=paper.business_case,
                model_version=_version(version, by, now),
                dataset=_dataset(data, by, now),
                rivals=paper.rivals,
            )
            if draft is None:
                row = requests.create(filing=filing, by=by, now=now)
            else:
                row = requests.edit(request=draft, filing=filing, by=by, now=now)
            for statement in paper.statements:
                with _named({"value": statement.name}, otherwise=statement.name):
                    evidence.state_metric_value(request=row, statement=statement, by=by, now=now)
    return row


def _with_file_read(paper: Paper, files: ExitStack) -> tuple[ModelVersion | NewVersion, Dataset | NewDataset | None]:
    version, data = paper.version, paper.dataset
    if isinstance(version, NewVersion) and version.upload is not None:
        version = replace(version, upload=files.enter_context(Spooled.read(version.upload)))
    if isinstance(data, NewDataset):
        data = replace(data, upload=files.enter_context(Spooled.read(data.upload, field="dataset_file")))
    return version, data


def _version(version: ModelVersion | NewVersion, by: User, now: datetime) -> ModelVersion:
    if isinstance(version, ModelVersion):
        return version
    if isinstance(version.asset, NewAsset):
        _check_new(version.asset)
    return inventory.register(entry=version, by=by, now=now)


def _check_new(asset: NewAsset) -> None:
    """Whoever enters a new model here did not choose the old one: it is not brought up to date by mistake."""
    if ModelAsset.objects.filter(team__slug=asset.team, slug=asset.slug).exists():
        raise Invalid(
            f"The team has a model called {asset.slug!r} already; choose it above, or use another short name.",
            field="slug",
        )


def _dataset(data: Dataset | NewDataset | None, by: User, now: datetime) -> Dataset | None:
    if not isinstance(data, NewDataset):
        return data
    with _named({"file": "dataset_file", "name": "dataset_name"}, otherwise="dataset_file"):
        return datasets.register(name=data.name, upload=data.upload, by=by, now=now)


@contextmanager
def _named(fields: Mapping[str, str], *, otherwise: str) -> Iterator[None]:
    """Rename the field of a refusal to the one of the paper."""
    try:
        yield
    except Refused as refusal:
        refusal.field = fields.get(refusal.field or "", otherwise)
        raise
