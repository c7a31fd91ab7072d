"""File a request together with the model version and data set it registers: all of it is stored, or nothing."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from benchmarking.runs.actions import datasets
from benchmarking.runs.actions.datasets import NewDataset
from benchmarking.runs.models import Dataset
from governance.inventory.actions import inventory
from governance.inventory.actions.artifacts import SpooledUpload
from governance.inventory.actions.inventory import NewAsset, NewVersion
from governance.inventory.models import ModelAsset, ModelVersion
from reviews.previews.queries.drafts import has_other_values
from reviews.requests.domain.copies import copy_of
from reviews.requests.locking import lock, lock_version_and_purpose
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.filings import Filing
from reviews.workflow.actions import evidence, requests
from reviews.workflow.actions.evidence import StatedValue
from weighbridge.core.errors import Invalid, Refused, WrongState


@dataclass(frozen=True, kw_only=True)
class FilingInput:
    """The input for filing a request. Model version and data set are registered ones or new ones."""

    title: str
    purpose: str
    environment: str
    business_case: str
    version: ModelVersion | NewVersion
    dataset: Dataset | NewDataset | None = None
    rivals: tuple[ModelVersion, ...] = ()
    statements: Iterable[StatedValue] = ()


def file_request(
    *, entry: FilingInput, draft: ReviewRequest | None = None, seen: str = "", by: User, now: datetime
) -> ReviewRequest:
    """Register new models and data, file the request or change its draft, and state its metric values.

    An error names the field of the form: `dataset_file`, `dataset_name`, or the metric with an invalid value. Files
    are read and hashed before the transaction begins. `seen` is the mark of the draft that the person saw.
    """
    with ExitStack() as files:
        version, data = _with_files_read(entry, files)
        with transaction.atomic():
            # Before the head of the audit trail, which registering a version or data holds.
            if draft is not None:
                lock(draft)
            if isinstance(version, ModelVersion):
                lock_version_and_purpose(version_id=version.pk, purpose=entry.purpose)
            stored_version = _version(version, by, now)
            stored_data = _dataset(data, stored_version.asset.team.slug, by, now)
            filing = copy_of(entry, Filing, model_version=stored_version, dataset=stored_data)
            if draft is None:
                row = requests.create(filing=filing, by=by, now=now)
            else:
                row = requests.edit(request=draft, filing=filing, seen=seen, by=by, now=now)
            for statement in _statements(entry, row, seen):
                with _renamed_field({"value": statement.name}, otherwise=statement.name):
                    evidence.state_metric_value(request=row, statement=statement, by=by, now=now)
    return row


def _statements(entry: FilingInput, row: ReviewRequest, seen: str) -> tuple[StatedValue, ...]:
    """The metric values to state. Raises WrongState if another person stated some since the mark was `seen`."""
    statements = tuple(entry.statements)
    if statements and has_other_values(row, seen=seen):
        raise WrongState(requests.CHANGED_MEANWHILE, code="outdated")
    return statements


def _with_files_read(
    entry: FilingInput, files: ExitStack
) -> tuple[ModelVersion | NewVersion, Dataset | NewDataset | None]:
    version, data = entry.version, entry.dataset
    if isinstance(version, NewVersion) and version.upload is not None:
        version = replace(version, upload=files.enter_context(SpooledUpload.read(version.upload)))
    if isinstance(data, NewDataset):
        data = replace(data, upload=files.enter_context(SpooledUpload.read(data.upload, field="dataset_file")))
    return version, data


def _version(version: ModelVersion | NewVersion, by: User, now: datetime) -> ModelVersion:
    if isinstance(version, ModelVersion):
        return version
    if isinstance(version.asset, NewAsset):
        _check_new(version.asset)
    return inventory.register(entry=version, by=by, now=now)


def _check_new(asset: NewAsset) -> None:
    """Reject the short name of an existing model, so that a new entry never overwrites it by mistake."""
    if ModelAsset.objects.filter(team__slug=asset.team, slug=asset.slug).exists():
        raise Invalid(
            f"The team already has a model called {asset.slug!r}; choose it above, or use another short name.",
            field="slug",
        )


def _dataset(data: Dataset | NewDataset | None, team: str, by: User, now: datetime) -> Dataset | None:
    if not isinstance(data, NewDataset):
        return data
    fields = {"file": "dataset_file", "name": "dataset_name", "license": "dataset_license"}
    with _renamed_field(fields, otherwise="dataset_file"):
        return datasets.register(entry=replace(data, team=team), by=by, now=now)


@contextmanager
def _renamed_field(fields: Mapping[str, str], *, otherwise: str) -> Iterator[None]:
    """Rename the field of an error to the name it has in the form."""
    try:
        yield
    except Refused as refusal:
        refusal.field = fields.get(refusal.field or "", otherwise)
        raise
