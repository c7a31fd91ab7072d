"""Records: what of a result reaches a tracker, under which names."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.refusals import has_code
from tests.unit.toolkit.client.trackers.documents import PROFILE, VARIANTS
from weighbridge.client.trackers.records import clean_name, numbers_of, record_of
from weighbridge.core.errors import Invalid


def test_a_profile_becomes_one_flat_record():
    record = record_of(PROFILE, name="cnn")
    assert record.metrics == {
        "latency_p95_ms": 1.5,
        "latency_p95_ms_lower": 1.4,
        "latency_p95_ms_upper": 1.6,
        "parameters": 12.0,
    }
    assert record.settings == {"scenario.name": "SingleStream", "scenario.threads": "2", "bootstraps": "100"}
    assert record.labels == {
        "weighbridge.schema": "weighbridge.result/1",
        "weighbridge.scenario": "SingleStream",
        "weighbridge.verdict": "indicative",
        "weighbridge.reasons": "samples",
        "weighbridge.manifest": "sha256:ab",
        "weighbridge.model": "sha256:cd",
    }
    assert (record.document, record.children) == (PROFILE, [])


def test_variants_become_children_with_their_drop():
    record = record_of(VARIANTS, name="cnn")
    assert record.labels == {"weighbridge.schema": "weighbridge.candidates/1", "weighbridge.partial": "yes"}
    first, second = record.children
    assert first.labels == {"weighbridge.made_by": "given", "weighbridge.digest": "sha256:cd"}
    assert second.labels == {"weighbridge.made_by": "static INT8", "weighbridge.verdict": "worth_it"}
    assert second.metrics["quality_drop_upper"] == 0.02
    assert not any(name.startswith("speed_up") for name in second.metrics)


@pytest.mark.parametrize("document", [{}, {"schema": 1}, {"schema": "other/1"}])
def test_what_is_no_result_is_refused(document):
    with pytest.raises(Invalid, check=has_code("no_result")):
        record_of(document, name="x")


def test_numbers_that_are_none_are_left_out():
    metrics = {
        "a": {"value": math.inf},
        "b": {"value": True},
        "c": {"value": None},
        "d": {"value": 0, "lower": math.nan},
    }
    assert dict(numbers_of(metrics)) == {"d": 0.0}


@given(st.text())
def test_a_clean_name_is_one_that_mlflow_takes(name):
    assert re.fullmatch(r"[A-Za-z0-9_\-. /]{0,250}", clean_name(name))
