"""Evaluation data: arrays of numbers in an .npz file, kept once under the digest of their content."""

import hashlib
import io
import zipfile
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from pytest_django import Settings

from benchmarking.runs.actions import datasets
from benchmarking.runs.models import Dataset
from governance.audit.models import AuditEvent
from tests.factories.models import new_dataset, npz_bytes
from tests.factories.people import Cast, make_cast
from tests.threads import together
from weighbridge.core.errors import Invalid, NotAllowed, NotFound

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
    dataset = datasets.register(entry=new_dataset(), by=cast.author, now=now)
    digest = hashlib.sha256(FILE).hexdigest()
    assert (dataset.digest, dataset.size_bytes) == (f"sha256:{digest}", len(FILE))
    assert dataset.stored_as == f"sha256/{digest[:2]}/{digest}"
    assert (dataset.registered_by, dataset.registered_at, str(dataset)) == (cast.author, now, "held-out@1")
    event = AuditEvent.objects.latest("position")
    assert (event.kind, event.subject) == ("dataset.registered", f"sha256:{digest}")
    assert event.details == {"name": "held-out@1", "team": "search", "status": "proposed", "rows": 32}


def test_rows_and_class_balance_are_counted(cast: Cast, now: datetime) -> None:
    content = npz(x=np.zeros((5, 4), np.float32), y=np.array([2, 0, 2, 4095, 2], np.uint16))
    row = datasets.register(entry=new_dataset(content=content), by=cast.author, now=now)
    assert (row.rows, row.task, row.class_balance) == (5, "classes", {"0": 1, "2": 3, "4095": 1})
    content = npz(x=np.zeros((3, 4), np.float32), y=np.array([0.5, -1.0, 7.0]))
    row = datasets.register(entry=new_dataset("targets", content=content), by=cast.author, now=now)
    assert (row.rows, row.task, row.class_balance) == (3, "numbers", {})


def test_the_same_content_is_the_same_version(cast: Cast, now: datetime) -> None:
    first = datasets.register(entry=new_dataset(), by=cast.author, now=now)
    assert datasets.register(entry=new_dataset(license="MIT"), by=cast.author, now=now) == first
    assert (first.license, Dataset.objects.count()) == ("internal", 1)
    with pytest.raises(Invalid, match="already registered as held-out@1") as refusal:
        datasets.register(entry=new_dataset("other"), by=cast.author, now=now)
    assert (refusal.value.field, refusal.value.code) == ("file", "data_registered")
    assert AuditEvent.objects.filter(kind="dataset.registered").count() == 1


def test_another_team_learns_nothing_of_the_same_content(cast: Cast, now: datetime) -> None:
    first = datasets.register(entry=new_dataset(), by=cast.author, now=now)
    second = datasets.register(entry=new_dataset("theirs"), by=cast.outsider, now=now)
    assert second.pk != first.pk
    assert (second.digest, second.team.slug, str(second)) == (first.digest, "ads", "theirs@1")


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
        ("a@1", FILE, "name", "without @"),
        ("a\nb", FILE, "name", "without @"),
        ("n" * 121, FILE, "name", "may have 120 characters"),
        ("d", npz(x=np.zeros((2, 1)), y=np.zeros(3, int)), "file", "x has 2 rows and y has the shape (3,)"),
        ("d", npz(x=np.zeros((2, 1)), y=np.zeros((2, 1), int)), "file", "y has the shape (2, 1)"),
        ("d", npz(x=np.zeros((0, 1)), y=np.zeros(0, int)), "file", "x has 0 rows"),
        ("d", npz(x=np.zeros(()), y=np.zeros(())), "file", "x has 0 rows"),
        ("d", npz(x=np.zeros(2), y=np.array([0, -1])), "file", "class numbers between 0 and 4095"),
        ("d", npz(x=np.zeros(2), y=np.array([0, 4096])), "file", "class numbers between 0 and 4095"),
        ("d", npz(x=np.zeros(2), y=np.array([0.0, np.nan])), "file", "NaN or infinite"),
        ("d", npz(x=np.zeros(2), y=np.array([True, False])), "file", "y contains bool"),
        ("d", npz(x=np.zeros(2), y=np.zeros(2, complex)), "file", "y contains complex128"),
    ],
)
def test_what_is_no_evaluation_data_is_refused(
    cast: Cast, now: datetime, installation: Path, name: str, content: bytes, field: str, words: str
) -> None:
    before = AuditEvent.objects.count()
    with pytest.raises(Invalid) as refusal:
        datasets.register(entry=new_dataset(name, content=content), by=cast.author, now=now)
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
        datasets.register(entry=new_dataset(content=large), by=cast.author, now=now)
    assert not Dataset.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"license": " "}, "license"), ({"license": "l" * 121}, "license"), ({"purpose": "training"}, "purpose")],
)
def test_a_set_says_its_license_and_purpose(cast: Cast, now: datetime, changes: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        datasets.register(entry=new_dataset(**changes), by=cast.author, now=now)
    assert refusal.value.field == field
    assert not Dataset.objects.exists()


def test_only_requesters_of_the_team_and_data_stewards_register_data(cast: Cast, now: datetime) -> None:
    for person in set(cast.everybody()) - {cast.author, cast.outsider, cast.steward}:
        with pytest.raises(NotAllowed, match="Only a requester or a data steward may register data"):
            datasets.register(entry=new_dataset(team="search"), by=person, now=now)
    with pytest.raises(NotAllowed, match="not a requester of the team 'ads'"):
        datasets.register(entry=new_dataset(team="ads"), by=cast.author, now=now)
    assert not Dataset.objects.exists()
    assert datasets.register(entry=new_dataset(team="ads"), by=cast.steward, now=now).status == "proposed"


def test_the_owner_is_named_where_it_is_not_clear(cast: Cast, now: datetime) -> None:
    with pytest.raises(Invalid, match="Choose the team that owns") as refusal:
        datasets.register(entry=new_dataset(), by=cast.steward, now=now)
    assert refusal.value.field == "team"
    with pytest.raises(NotFound, match="There is no team 'nowhere'"):
        datasets.register(entry=new_dataset(team="nowhere"), by=cast.steward, now=now)


def test_the_next_content_of_a_name_is_its_next_version(cast: Cast, now: datetime) -> None:
    rows = [datasets.register(entry=new_dataset(content=npz_bytes(seed=n)), by=cast.author, now=now) for n in range(3)]
    assert [str(row) for row in rows] == ["held-out@1", "held-out@2", "held-out@3"]


@pytest.mark.django_db(transaction=True)
def test_two_uploads_at_the_same_moment_get_two_versions(now: datetime) -> None:
    cast = make_cast(now=now)
    entries = [new_dataset(content=npz_bytes(seed=number)) for number in range(4)]
    together([partial(datasets.register, entry=entry, by=cast.author, now=now) for entry in entries])
    assert sorted(map(str, Dataset.objects.all())) == [f"held-out@{number}" for number in range(1, 5)]
