"""The job of a device: the queries are those of `profile`, in a form that a page reads."""

import numpy as np
import pytest
from onnx import TensorProto  # noqa: TID253 -- tests build models

from tests.unit.toolkit import builders
from tests.unit.toolkit.systems.device.sessions import job_of, reference_of
from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.data_set import read_data_set
from weighbridge.measure.loops.latency import query_order
from weighbridge.systems.device import job as jobs
from weighbridge.systems.device import reference as references
from weighbridge.systems.device.answers import answer_of


def read(job, query: int, name: str) -> np.ndarray:
    """An input as the page reads it."""
    entry = job.description["queries"][query][name]
    if "texts" in entry:
        return np.array(entry["texts"], dtype=object).reshape(entry["dims"])
    dtype = np.dtype(entry["type"]).newbyteorder("<")
    assert entry["at"] % dtype.itemsize == 0, "a page cannot view values at this place"
    return np.frombuffer(job.values, dtype, count=entry["values"], offset=entry["at"]).reshape(entry["dims"])


def test_the_rows_of_a_data_set_are_sent_in_the_order_of_a_run(tmp_path):
    data = builders.data_set(tmp_path / "d.npz")
    job = job_of(builders.classifier(tmp_path / "m.onnx"), data)
    order = query_order(300, seed=job.settings.scenario.seed)
    assert job.order.tolist() == order.tolist()
    rows = read_data_set(data).x
    for place in (0, 1, 299):
        assert read(job, place, "x").tolist() == rows[order[place]][None].tolist()


def test_all_types_are_sent_aligned(tmp_path):
    types = (TensorProto.BOOL, TensorProto.INT64, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.STRING)
    nodes = [builders.helper.make_node("Identity", [f"x{each}"], [f"y{each}"]) for each in types]
    inputs = [builders.helper.make_tensor_value_info(f"x{each}", each, ["n", 3]) for each in types]
    outputs = [builders.helper.make_tensor_value_info(f"y{each}", each, ["n", 3]) for each in types]
    model = builders.save(nodes, inputs, outputs, [], tmp_path / "m.onnx")
    job = job_of(model, values={f"x{TensorProto.STRING}": "\u00e9", f"x{TensorProto.INT64}": "-9:9"})
    for query in (0, 63):
        feed = job.queries.feeds[job.order[query]]
        for name, array in feed.items():
            assert read(job, query, name).tolist() == array.tolist()
    answers = reference_of(job).answers
    assert len(answers) == 8
    first = job.queries.feeds[job.order[0]]
    assert answers[0] == {name.replace("x", "y"): answer_of(array, 100) for name, array in first.items()}


def test_states_begin_as_zeros_and_are_carried(tmp_path):
    job = job_of(builders.counter(tmp_path / "m.onnx"), state={"state": "next"})
    assert job.description["state_outputs"] == {"state": "next"}
    entry = job.description["states"]["state"]
    zeros = np.frombuffer(job.values, "<f4", count=entry["values"], offset=entry["at"])
    assert (zeros.tolist(), entry["dims"]) == ([0.0] * 4, [1, 1, 4])
    answers = reference_of(job).answers
    sums = np.cumsum([job.queries.feeds[row]["x"].sum() for row in job.order[: len(answers)]])
    totals = [answer["total"].values(1)[0] for answer in answers]
    assert totals == pytest.approx(sums.tolist(), abs=1e-4)


def test_a_model_without_inputs_has_one_query(tmp_path):
    one = builders.numpy_helper.from_array(np.ones(2, dtype=np.float32), "w")
    node = builders.helper.make_node("Identity", ["w"], ["y"])
    output = builders.helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])
    job = job_of(builders.save([node], [], [output], [one], tmp_path / "m.onnx"))
    assert (set(map(str, job.description["queries"])), job.values) == ({"{}"}, b"")


def test_a_free_dimension_without_size_is_refused(tmp_path):
    model = builders.identity(tmp_path / "m.onnx", shape=["n", "seq"])
    with pytest.raises(Invalid, match=r"dimension seq has no size.* State it with --dim seq=SIZE") as refusal:
        job_of(model)
    assert refusal.value.field == "dim"
    assert job_of(model, dims={"seq": 7}).description["queries"][0]["x0"]["dims"] == [1, 7]


def test_a_type_that_no_page_can_make_is_refused(tmp_path):
    model = builders.identity(tmp_path / "m.onnx", shape=["n", 2], dtype=TensorProto.BFLOAT16)
    with pytest.raises(Invalid, match="which no page can make"):
        job_of(model)


def test_only_as_many_queries_are_sent_as_a_phone_can_hold(tmp_path, monkeypatch):
    model, data = builders.classifier(tmp_path / "m.onnx"), builders.data_set(tmp_path / "d.npz")
    monkeypatch.setattr(jobs, "MAX_BYTES", 100)
    job = job_of(model, data)
    assert (len(job.description["queries"]), len(job.order), len(job.values)) == (6, 6, 96)
    monkeypatch.setattr(jobs, "MAX_BYTES", 15)
    with pytest.raises(Invalid, match="One query has more than 15 bytes"):
        job_of(model, data)
    monkeypatch.undo()
    monkeypatch.setattr(jobs, "MAX_QUERIES", 5)
    assert len(job_of(model, data).order) == 5


def test_texts_count_too(tmp_path, monkeypatch):
    model = builders.identity(tmp_path / "m.onnx", shape=["n", 1], dtype=TensorProto.STRING)
    monkeypatch.setattr(jobs, "MAX_BYTES", 250)
    assert len(job_of(model, values={"x0": "x" * 30}).order) == 2


def test_more_samples_than_a_page_takes_are_refused(tmp_path):
    with pytest.raises(Invalid, match="at most 500,000 samples"):
        job_of(builders.classifier(tmp_path / "m.onnx"), samples=500_001)


@pytest.mark.parametrize(("most", "answers", "values"), [(100, 8, 100), (30, 2, 30), (12, 1, 12), (8, 1, 1)])
def test_large_answers_are_few_and_cut(tmp_path, monkeypatch, most, answers, values):
    job = job_of(builders.classifier(tmp_path / "m.onnx"))
    monkeypatch.setattr(references, "MAX_ANSWER_BYTES", most)
    found = reference_of(job)
    assert (len(found.answers), found.values_max) == (answers, values)
    assert len(found.answers[0]["y"].values(values)) == min(3, values)
