"""Filing: everything new at once, or, whatever is refused, nothing; and no lock is held while a file is read."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection

from benchmarking.runs.models import Dataset
from governance.audit.models import AuditEvent
from governance.inventory.actions.inventory import NewAsset, NewVersion
from governance.inventory.models import ModelAsset, ModelVersion
from reviews.evidence.models import MetricRecord
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions.drafting import filing
from reviews.workflow.actions.drafting.filing import FilingInput
from reviews.workflow.actions.evidence import StatedValue
from tests.factories.models import make_dataset, make_version, new_dataset, npz_bytes, onnx_bytes
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from tests.refusals import has_code
from weighbridge.core.errors import Invalid, NotAllowed, Refused
from weighbridge.core.metrics.basis import Basis

HOURS = StatedValue(name="training_gpu_hours", value=Decimal(320), unit="gpu_h", basis=Basis.DECLARED, source="log")


def asset_of(cast: Cast, **changes: Any) -> NewAsset:
    fields = {
        "team": "search",
        "slug": "ranker",
        "name": "Ranker",
        "tier": "T2",
        "task": "classification",
        "owner": cast.author,
    }
    return NewAsset(**fields | changes)


def model(content: bytes = b"", name: str = "model.onnx") -> ContentFile:  # type: ignore[type-arg]
    return ContentFile(content or onnx_bytes(), name=name)


def filing_input(version: ModelVersion | NewVersion, **changes: Any) -> FilingInput:
    fields: dict[str, Any] = {"title": "Ranking", "purpose": "Rank results", "environment": "prod"}
    return FilingInput(version=version, business_case="Fewer searches end without a click.", **fields | changes)


def test_everything_new_at_once(cast: Cast, now: datetime) -> None:
    version = NewVersion(asset=asset_of(cast), version="1.0.0", upload=model())
    data = new_dataset()
    request = filing.file_request(
        entry=filing_input(version, dataset=data, statements=[HOURS]), by=cast.author, now=now
    )
    assert (request.state, request.model_version.version, request.model_version.asset.slug) == (
        "draft",
        "1.0.0",
        "ranker",
    )
    assert request.dataset is not None
    assert (request.dataset.name, request.metric_records.get().name) == ("held-out", "training_gpu_hours")
    kinds = set(AuditEvent.objects.values_list("kind", flat=True))
    assert {"model.registered", "artifact.kept", "model.version_registered", "dataset.registered"} <= kinds


def test_what_is_registered_already_is_taken_as_it_is(cast: Cast, now: datetime) -> None:
    version, data = make_version(by=cast.author, now=now), make_dataset(by=cast.author, now=now)
    first = filing.file_request(entry=filing_input(version, dataset=data), by=cast.author, now=now)
    assert (first.model_version, first.dataset, first.metric_records.count()) == (version, data, 0)
    second = filing.file_request(
        entry=filing_input(version, title="Better ranking"), draft=first, by=cast.author, now=now
    )
    assert (second.pk, second.title, second.dataset) == (first.pk, "Better ranking", None)


def refused(cast: Cast) -> Iterator[tuple[str, FilingInput]]:
    """One input for each invalid field, after the name of the field."""
    fine = NewVersion(asset=asset_of(cast), version="1.0.0", upload=model())
    yield "slug", filing_input(NewVersion(asset=asset_of(cast, slug="two words"), version="1", upload=model()))
    yield "tier", filing_input(NewVersion(asset=asset_of(cast, tier="T9"), version="1", upload=model()))
    yield "slug", filing_input(NewVersion(asset=asset_of(cast, slug="visual-search"), version="1", upload=model()))
    yield "version", filing_input(NewVersion(asset=asset_of(cast), version=" ", upload=model()))
    yield (
        "file",
        filing_input(NewVersion(asset=asset_of(cast), version="1", upload=model(b"\x80\x05 pickle", "model.pkl"))),
    )
    yield (
        "file",
        filing_input(NewVersion(asset=asset_of(cast), version="1", upload=ContentFile(b"", name="model.onnx"))),
    )
    yield "sha256", filing_input(NewVersion(asset=asset_of(cast), version="1", uri="s3://b/m.onnx", digest="md5:1"))
    yield (
        "dataset_file",
        filing_input(fine, dataset=new_dataset("d", content=b"no zip")),
    )
    yield (
        "dataset_file",
        filing_input(fine, dataset=new_dataset("d", content=b"")),
    )
    yield (
        "dataset_name",
        filing_input(fine, dataset=new_dataset(" ", content=npz_bytes())),
    )
    yield "title", filing_input(fine, title="")
    yield (
        "training_gpu_hours",
        filing_input(fine, statements=[HOURS, StatedValue(**vars(HOURS) | {"value": Decimal(-1)})]),
    )


def test_a_refusal_names_its_field_and_leaves_nothing_behind(cast: Cast, now: datetime) -> None:
    make_version(by=cast.author, now=now)
    for field, asked in refused(cast):
        before = snapshot()
        with pytest.raises(Refused) as refusal:
            filing.file_request(entry=asked, by=cast.author, now=now)
        assert refusal.value.field == field
        assert snapshot() == before


def test_only_the_team_files(cast: Cast, now: datetime) -> None:
    for person in (cast.outsider, cast.admin, cast.reviewer_one):
        before = snapshot()
        with pytest.raises(NotAllowed):
            filing.file_request(
                entry=filing_input(NewVersion(asset=asset_of(cast), version="1", upload=model())), by=person, now=now
            )
        assert snapshot() == before


class Watchful(ContentFile):  # type: ignore[type-arg]
    """A file that looks, as it is read, whether a transaction is open."""

    was_open: bool | None = None

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        self.was_open = connection.in_atomic_block
        return super().chunks(chunk_size)


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_files_are_read(now: datetime) -> None:
    from tests.factories.people import make_cast

    cast = make_cast(now=now)
    files = Watchful(onnx_bytes(), name="model.onnx"), Watchful(npz_bytes(), name="d.npz")
    version = NewVersion(asset=asset_of(cast), version="1", upload=files[0])
    filing.file_request(
        entry=filing_input(version, dataset=replace(new_dataset("d"), upload=files[1])),
        by=cast.author,
        now=now,
    )
    assert [file.was_open for file in files] == [False, False]
    assert (ModelAsset.objects.count(), Dataset.objects.count(), MetricRecord.objects.count()) == (1, 1, 0)
    assert ReviewRequest.objects.get().model_version == ModelVersion.objects.get()


def test_a_version_that_is_taken_enters_no_model(cast: Cast, now: datetime) -> None:
    known = make_version(by=cast.author, now=now)
    before = snapshot()
    with pytest.raises(Invalid, check=has_code("version_taken")):
        filing.file_request(
            entry=filing_input(NewVersion(asset=known.asset, version="1.0.0", upload=model(onnx_bytes(seed=3)))),
            by=cast.author,
            now=now,
        )
    assert snapshot() == before
