"""A tiny model and its evaluation data, as bytes and as registered rows."""

import io
from datetime import datetime
from functools import cache
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.core.files.base import ContentFile

from benchmarking.runs.actions import datasets
from benchmarking.runs.actions.datasets import NewDataset
from benchmarking.runs.domain.evaluation_sets import DatasetStatus
from benchmarking.runs.models import Dataset
from governance.inventory.actions import inventory
from governance.inventory.models import ModelAsset, ModelVersion
from governance.people.approvals import actions as approvals
from governance.people.approvals.enums import Changed, ChangeState
from governance.people.approvals.models import Change
from tests.factories.people import TEAM
from tests.remembered import remembered
from weighbridge.measure.inputs.data_set import DataSet, write_data_set

FEATURES, CLASSES = 4, 3


@cache
def onnx_bytes(seed: int = 0) -> bytes:
    """A linear classifier of four features and three classes; another seed is another artifact."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = np.random.default_rng(seed).normal(size=(FEATURES, CLASSES)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["logits"])],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", FEATURES])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["rows", CLASSES])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@cache
def npz_bytes(rows: int = 32, seed: int = 0) -> bytes:
    """Arrays x (rows, 4) and y (rows,)."""
    rng, stream = np.random.default_rng(seed), io.BytesIO()
    x = rng.normal(size=(rows, FEATURES)).astype(np.float32)
    write_data_set(DataSet.of(x, rng.integers(0, CLASSES, rows)), stream)
    return stream.getvalue()


def accept_ownership(*, asset: ModelAsset, now: datetime) -> None:
    """The person named as owner accepts, if somebody else named them."""
    for change in Change.objects.filter(kind=Changed.OWNER, subject_id=asset.pk, state=ChangeState.PENDING):
        owner = User.objects.get(username=change.details["owner"])
        approvals.confirm(change=change, by=owner, now=now)
    asset.refresh_from_db()


@remembered
def make_version(
    *,
    by: User,
    now: datetime,
    owner: User | None = None,
    team: str = TEAM,
    slug: str = "visual-search",
    version: str = "1.0.0",
    tier: str = "T1",
    seed: int = 0,
) -> ModelVersion:
    """A registered ONNX file of the team, owned by `by`, or by another person who accepted."""
    asset = inventory.register_asset(
        team=team,
        slug=slug,
        name=slug.replace("-", " ").capitalize(),
        tier=tier,
        task="classification",
        owner=owner or by,
        by=by,
        now=now,
    )
    accept_ownership(asset=asset, now=now)
    upload = ContentFile(onnx_bytes(seed), name="model.onnx")
    return inventory.register(entry=inventory.NewVersion(asset=asset, version=version, upload=upload), by=by, now=now)


def new_dataset(name: str = "held-out", *, content: bytes | None = None, **fields: Any) -> NewDataset:
    """An evaluation set to register, with the tiny data unless said otherwise."""
    upload = ContentFile(npz_bytes() if content is None else content, name="test.npz")
    return NewDataset(name=name, upload=upload, **{"license": "internal"} | fields)


@remembered
def make_dataset(
    *, by: User, now: datetime, name: str = "held-out", seed: int = 0, is_governed: bool = True, **fields: Any
) -> Dataset:
    """A set of the team of `by`, confirmed by the data steward of the cast unless said otherwise."""
    entry = new_dataset(name, content=npz_bytes(seed=seed), **fields)
    row = datasets.register(entry=entry, by=by, now=now)
    if is_governed and row.status == DatasetStatus.PROPOSED:
        govern(dataset=row, by=by, now=now)
    return row


def govern(*, dataset: Dataset, by: User, now: datetime) -> None:
    """The data steward of the cast confirms that quality on the set counts as measured."""
    change = datasets.propose(dataset=dataset, reason="The team tests on it.", by=by, now=now)
    approvals.confirm(change=change, by=User.objects.get(username="steward"), now=now)
    dataset.refresh_from_db()
