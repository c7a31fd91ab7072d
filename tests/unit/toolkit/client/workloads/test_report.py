"""The document of a workload report: what is accepted, and which key of another one is wrong."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.client.workloads.report import MOST_WORKLOADS, Workload, WorkloadReport, read_report
from weighbridge.core.errors import Invalid

DIGEST, MODEL = "sha256:" + "a" * 64, "sha256:" + "b" * 64
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
WORKLOAD = {
    "name": "ranker",
    "namespace": "search",
    "image": "registry.test/search/ranker:1",
    "image_digest": DIGEST,
    "model_digests": [MODEL],
    "since": "2026-10-01T00:00:00Z",
    "replicas": 2,
    "gpus": {"H100": 8},
    "owner": "search",
}


def document(*workloads, **changes):
    whole = {"cluster": "gpu-1", "environment": "prod", "observed_at": "2026-11-01T12:00:00Z"}
    return whole | {"workloads": list(workloads)} | changes


def test_a_report_is_read_and_written_alike():
    report = read_report(document(WORKLOAD, {"name": "bare"}))
    assert report == WorkloadReport(
        cluster="gpu-1",
        environment="prod",
        observed_at=AT,
        workloads=(
            Workload(
                name="ranker",
                namespace="search",
                image="registry.test/search/ranker:1",
                image_digest=DIGEST,
                model_digests=(MODEL,),
                since=datetime(2026, 10, 1, tzinfo=UTC),
                replicas=2,
                gpus={"H100": 8},
                owner="search",
            ),
            Workload(name="bare"),
        ),
    )
    assert report.as_document() == document(WORKLOAD, {"name": "bare", "replicas": 1})


def test_an_empty_report_says_that_nothing_runs():
    assert read_report(document()).workloads == ()


@pytest.mark.parametrize(
    ("workload", "field", "words"),
    [
        ({}, "workloads[0].name", "missing"),
        ({"name": "a\nb"}, "workloads[0].name", "one line"),
        ({"name": "a" * 201}, "workloads[0].name", "200 characters"),
        ({"image": "a" * 501}, "workloads[0].image", "500 characters"),
        ({"image_digest": "latest"}, "workloads[0].image_digest", "only a tag is known"),
        ({"model_digests": ["x"]}, "workloads[0].model_digests", "at most 20 digests"),
        ({"model_digests": [f"sha256:{n:064x}" for n in range(21)]}, "workloads[0].model_digests", "at most 20"),
        ({"since": "yesterday"}, "workloads[0].since", "with its zone"),
        ({"since": "2026-10-01T00:00:00"}, "workloads[0].since", "with its zone"),
        ({"since": "2026-11-01T12:00:01Z"}, "workloads[0].since", "after it was observed"),
        ({"replicas": 0}, "workloads[0].replicas", "1 or more"),
        ({"replicas": True}, "workloads[0].replicas", "whole number"),
        ({"gpus": {"H100": 0}}, "workloads[0].gpus.H100", "1 or more"),
        ({"gpus": {"a\nb": 1}}, "workloads[0].gpus", "one line"),
        ({"gpus": {f"t{n}": 1 for n in range(11)}}, "workloads[0].gpus", "at most 10 types"),
        ({"approved": True}, "workloads[0].approved", "unknown"),
        ({"owner": "a\0"}, "workloads[0].owner", "cannot be stored"),
    ],
)
def test_a_wrong_workload_names_its_key(workload, field, words):
    name = {} if not workload else {"name": "w"}
    with pytest.raises(Invalid, match=words) as refusal:
        read_report(document(name | workload))
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cluster": "a b"}, "cluster"),
        ({"cluster": "a" * 81}, "cluster"),
        ({"environment": ""}, "environment"),
        ({"observed_at": 5}, "observed_at"),
        ({"workloads": "all"}, "workloads"),
        ({"authorized": True}, "authorized"),
        ({"workloads": [{"name": "w"}] * (MOST_WORKLOADS + 1)}, "workloads"),
        ({"workloads": [{"name": "w"}, {"name": "w"}]}, "workloads[0].name"),
    ],
)
def test_a_wrong_report_names_its_key(changes, field):
    with pytest.raises(Invalid) as refusal:
        read_report(document(**changes))
    assert refusal.value.field == field


def test_the_digest_is_that_of_the_workloads_in_any_order():
    one, other = {"name": "a"}, {"name": "b"}
    first = read_report(document(one, other))
    later = read_report(document(other, one, observed_at="2026-11-02T12:00:00Z"))
    assert first.digest == later.digest
    assert first.digest != read_report(document(one)).digest


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_anything_else_is_read_or_invalid(value):
    for broken in (value, document(value), {**document(), "workloads": value}, document({"name": "w", "gpus": value})):
        with contextlib.suppress(Invalid):
            read_report(broken)
