"""Bodies filled from rows: all rows, each once, in an order of the seed; nothing is sent if they do not fit."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.api.load import bodies
from weighbridge.api.load.bodies import has_placeholders, with_rows
from weighbridge.core.errors import Invalid
from weighbridge.load.messages import build_requests, read_bodies, write_bodies
from weighbridge.load.plan import FILLED, LoadPlan
from weighbridge.measure.conditions.model_file import digest_of_file

TEMPLATE = '{"inputs": {"a": {{ a }}, "t": {{t}}}, "n": 1}'


@pytest.fixture
def table(tmp_path):
    """Thirty rows of a number and a text, in each form of a data set."""
    frame = pl.DataFrame({"a": list(range(30)), "t": [f"é {number}" for number in range(30)], "y": [0] * 30})
    frame.write_csv(tmp_path / "rows.csv")
    frame.write_parquet(tmp_path / "rows.parquet")
    frame.write_ndjson(tmp_path / "rows.jsonl")
    np.savez(tmp_path / "rows.npz", a=frame["a"].to_numpy(), t=np.array(frame["t"].to_list()))
    return tmp_path


def plan_of(folder, template=TEMPLATE, *, name="body.json", **changes):
    (folder / name).write_text(template, encoding="utf-8")
    usual = {"url": "http://localhost/", "rate_per_s": 10, "duration_s": 2, "method": "POST"}
    return LoadPlan(**usual | {"body": str(folder / name)} | changes)


def filled(plan, data, folder):
    working = folder / "working"
    working.mkdir(exist_ok=True)
    return with_rows(plan, data, working)


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet", "rows.jsonl", "rows.npz"])
def test_each_row_is_a_body(table, name):
    plan = filled(plan_of(table), table / name, table)
    bodies = [json.loads(body) for body in read_bodies(Path(plan.body))]
    assert sorted(body["inputs"]["a"] for body in bodies) == list(range(30))
    assert all(body["inputs"]["t"] == f"é {body['inputs']['a']}" and body["n"] == 1 for body in bodies)
    assert [body["inputs"]["a"] for body in bodies] != list(range(30))
    assert (plan.rows.data, plan.rows.rows, plan.rows.used) == (name, 30, 30)
    assert plan.rows.data_digest == digest_of_file(table / name)
    assert plan.rows.template_digest == digest_of_file(table / "body.json")
    assert plan.as_document()["body"] == "body.json"


def test_the_order_is_that_of_the_seed(table):
    first, again, other = (
        read_bodies(Path(filled(plan_of(table, seed=seed), table / "rows.csv", table).body)) for seed in (1, 1, 2)
    )
    assert first == again != other
    assert sorted(first) == sorted(other)


def test_arrays_of_a_program_are_rows(table):
    plan = filled(plan_of(table, "[{{ v }}]"), {"v": np.arange(6.0).reshape(3, 2)}, table)
    assert sorted(read_bodies(Path(plan.body))) == [b"[[0.0, 1.0]]", b"[[2.0, 3.0]]", b"[[4.0, 5.0]]"]
    assert (plan.rows.data, plan.rows.rows) == ("data.npz", 3)


def test_the_media_type_is_that_of_the_template(table):
    from tests.unit.toolkit.load.servers import pinned

    for name, media_type in (("body.json", b"application/json"), ("body.txt", b"application/octet-stream")):
        plan = filled(plan_of(table, name=name), table / "rows.csv", table)
        assert all(b"Content-Type: " + media_type + b"\r\n" in each for each in build_requests(plan, pinned(80)))


@pytest.mark.parametrize(
    ("template", "name", "words"),
    [
        ("{{ b }}", "body.json", "The template has {{ b }}, but the rows have only a, t."),
        ("{}", "body.json", "The template body.json has no {{ name }} for a column of the data, which has a, t."),
        ('{"a": "{{ t }}"}', "body.json", "The template body.json, filled from row"),
        ("{{ a }}", "body.jsonl", "--data fills a template"),
        ("{{ a }}", "body.npz", "--data fills a template"),
    ],
)
def test_a_template_that_does_not_fit_is_refused(table, template, name, words):
    with pytest.raises(Invalid) as refused:
        filled(plan_of(table, template, name=name), table / "rows.csv", table)
    assert words in refused.value.reason
    assert [path for path in (table / "working").iterdir() if path.suffix == FILLED] == []


def test_a_template_that_is_no_text_is_refused(table):
    plan = plan_of(table)
    Path(plan.body).write_bytes(b"\xff")
    with pytest.raises(Invalid, match="cannot be read as text"):
        filled(plan, table / "rows.csv", table)
    Path(plan.body).unlink()
    with pytest.raises(Invalid, match="cannot be read as text"):
        filled(plan, table / "rows.csv", table)


def test_rows_need_a_template():
    plan = LoadPlan(url="http://localhost/", rate_per_s=10, duration_s=2)
    with pytest.raises(Invalid, match="give it with --body"):
        with_rows(plan, "rows.csv", Path())
    assert with_rows(plan, None, Path()) is plan


def test_as_many_rows_are_used_as_a_test_may_have(table, monkeypatch):
    monkeypatch.setattr(bodies, "BODIES_MAX", 7)
    plan = filled(plan_of(table), table / "rows.csv", table)
    assert (plan.rows.used, plan.rows.rows, len(read_bodies(Path(plan.body)))) == (7, 30, 7)
    monkeypatch.setattr(bodies, "BODY_BYTES_MAX", 150)
    plan = filled(plan_of(table), table / "rows.csv", table)
    assert plan.rows.used == 3
    monkeypatch.setattr(bodies, "BODY_BYTES_MAX", 10)
    with pytest.raises(Invalid, match="filled from the first row has more than 10 bytes"):
        filled(plan_of(table), table / "rows.csv", table)


def test_places_that_nobody_fills_are_seen(table):
    assert has_placeholders(plan_of(table).body)
    assert not has_placeholders(plan_of(table, "{}").body)
    assert not has_placeholders(plan_of(table, name="many.jsonl").body)
    assert not has_placeholders("")
    assert not has_placeholders(str(table / "none.json"))


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=20))
def test_bodies_are_read_as_they_were_written(tmp_path_factory, bodies):
    path = tmp_path_factory.mktemp("bodies") / f"a{FILLED}"
    write_bodies(path, bodies)
    assert read_bodies(path) == bodies
