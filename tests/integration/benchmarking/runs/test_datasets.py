"""Evaluation data: arrays of numbers in an .npz file, kept once under the digest of their content."""

import hashlib
import io
import zipfile
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from django.core.files.base import ContentFile
from pytest_django import Settings

from benchmarking.runs.actions import datasets
from benchmarking.runs.models import Dataset
from governance.audit.models import AuditEvent
from tests.factories.models import npz_bytes
from tests.factories.people import Cast
from weighbridge.core.errors import Invalid, NotAllowed

FILE = npz_bytes()


def npz(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def archive(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name in names:
            file.writestr(name, b"x")
    return stream.getvalue()


def test_data_are_named_by_their_content(cast: Cast, now: datetime) -> None:
    dataset = datasets.register(name="held-out", upload=ContentFile(FILE, name="t.npz"), by=cast.author, now=now)
    digest = hashlib.sha256(FILE).hexdigest()
    assert (dataset.digest, dataset.size_bytes) == (f"sha256:{digest}", len(FILE))
    assert dataset.stored_as == f"sha256/{digest[:2]}/{digest}"
    assert (dataset.registered_by, dataset.registered_at, str(dataset)) == (cast.author, now, "held-out")
    event = AuditEvent.objects.latest("position")
    assert (event.kind, event.subject) == ("dataset.registered", f"sha256:{digest}")
    assert event.details == {"name": "held-out"}


def test_the_same_content_is_the_same_data_set(cast: Cast, now: datetime) -> None:
    first = datasets.register(name="held-out", upload=ContentFile(FILE, name="t.npz"), by=cast.author, now=now)
    second = datasets.register(name="other", upload=ContentFile(FILE, name="o.npz"), by=cast.outsider, now=now)
    assert (second, second.name) == (first, "held-out")
    assert AuditEvent.objects.filter(kind="dataset.registered").count() == 1


@pytest.mark.parametrize(
    ("name", "content", "field", "words"),
    [
        ("", FILE, "name", "Enter a name for the data set"),
        ("  ", FILE, "name", "Enter a name for the data set"),
        ("d", b"", "file", "The file is empty"),
        ("d", b"x,y\n1,2\n", "file", "must be an .npz file"),
        ("d", FILE[: len(FILE) // 2], "file", "must be an .npz file"),
        ("d", npz(x=np.zeros(3)), "file", "must contain an array x"),
        ("d", npz(y=np.zeros(3)), "file", "must contain an array x"),
        ("d", npz(a=np.zeros(3), b=np.zeros(3)), "file", "must contain an array x"),
        ("d", archive("x", "y"), "file", "must contain an array x"),
        ("d", archive("x.npy", "y.npy"), "file", "array x must contain only numbers"),
        ("d", npz(x=np.zeros(3), y=np.array(["words"])), "file", "array y must contain only numbers"),
        ("d", npz(x=np.zeros(3), y=np.zeros(3), **{f"z{n}": np.zeros(1) for n in range(15)}), "file", "at most 16"),
        ("d", archive(*(str(number) for number in range(20_000))), "file", "too many entries"),
    ],
)
def test_what_is_no_evaluation_data_is_refused(
    cast: Cast, now: datetime, installation: Path, name: str, content: bytes, field: str, words: str
) -> None:
    before = AuditEvent.objects.count()
    with pytest.raises(Invalid) as refusal:
        datasets.register(name=name, upload=ContentFile(content, name="t.npz"), by=cast.author, now=now)
    assert refusal.value.field == field
    assert words in refusal.value.reason
    assert (Dataset.objects.count(), AuditEvent.objects.count()) == (0, before)
    assert not (installation / "artifacts").exists()


def test_arrays_that_unpack_to_more_than_a_run_may_use_are_refused(
    cast: Cast, now: datetime, settings: Settings
) -> None:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"RUN_MEMORY_MB": 1}
    large = npz(x=np.zeros(200_000), y=np.zeros(3))
    with pytest.raises(Invalid, match="unpacked arrays exceed 1 MB"):
        datasets.register(name="d", upload=ContentFile(large, name="t.npz"), by=cast.author, now=now)
    assert not Dataset.objects.exists()


def test_only_requesters_register_data(cast: Cast, now: datetime) -> None:
    for person in set(cast.everybody()) - {cast.author, cast.outsider}:
        with pytest.raises(NotAllowed, match="Only a requester may register data"):
            datasets.register(name="d", upload=ContentFile(FILE, name="t.npz"), by=person, now=now)
    assert not Dataset.objects.exists()


def test_a_long_name_is_cut(cast: Cast, now: datetime) -> None:
    dataset = datasets.register(name="n" * 200, upload=ContentFile(FILE, name="t.npz"), by=cast.author, now=now)
    assert dataset.name == "n" * 120
