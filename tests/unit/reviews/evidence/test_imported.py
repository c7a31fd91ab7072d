"""Which values of an imported result a person may declare."""

import dataclasses
from decimal import Decimal

import pytest

from reviews.evidence.domain.imported import METRICS_MAX, check_imported, taken_values
from tests.unit.toolkit.readers.files import only
from tests.unit.toolkit.readers.studies.files import sample
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.catalog import MetricCatalog
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.readers.imported_result import ImportedMetric, ImportedResult, ImportStatus, ImportVerdict, SubjectHint

DATA = "sha256:" + "d" * 64


def result_of(*metrics: ImportedMetric, data: str | None = None) -> ImportedResult:
    return dataclasses.replace(only("guidellm_03.json"), metrics=metrics, data=SubjectHint(digest=data))


def value(name: str, unit: str) -> ImportedMetric:
    return ImportedMetric(name, Decimal("0.5"), unit)


@pytest.mark.parametrize(
    ("name", "unit", "reason"),
    [
        ("ndcg@10", "ratio", ""),
        ("latency_p95_ms", "s", "It is in s, and the catalog has it in ms."),
        ("speed", "ms", "The metric catalog does not have it."),
        ("alternatives_measured", "variants", "The catalog does not let a person declare it."),
        ("training_energy_kwh", "kWh", "The catalog does not let a person declare it."),
    ],
)
def test_each_metric_is_taken_or_left_out_with_its_reason(name: str, unit: str, reason: str) -> None:
    found = taken_values(result_of(value(name, unit)), catalog=STANDARD, data=DATA)
    assert found.left_out.get(name, "") == reason
    assert [metric.name for metric in found.metrics] == ([] if reason else [name])


def test_times_on_a_device_are_no_times_of_the_service() -> None:
    found = taken_values(sample("device").result, catalog=STANDARD, data="")
    assert found.metrics == ()
    assert found.left_out["latency_p95_ms"].startswith("It was measured on a device, not where requests are served")


def test_a_retired_metric_is_left_out() -> None:
    retired = tuple(dataclasses.replace(each, is_retired=each.name == "wer") for each in STANDARD.definitions)
    found = taken_values(result_of(value("wer", "ratio")), catalog=MetricCatalog(retired), data="")
    assert list(found.left_out) == ["wer"]


@pytest.mark.parametrize(("stated", "is_taken"), [(None, True), (DATA, True), ("sha256:" + "e" * 64, False)])
def test_quality_on_other_data_is_left_out(stated: str | None, is_taken: bool) -> None:
    found = taken_values(result_of(value("accuracy", "ratio"), data=stated), catalog=STANDARD, data=DATA)
    assert bool(found.metrics) is is_taken


def test_a_file_cannot_fill_the_page_or_the_table() -> None:
    many = [value(f"ndcg@{number}", "ratio") for number in range(1, METRICS_MAX + 2)]
    with pytest.raises(Invalid, match="201 metrics"):
        taken_values(result_of(*many), catalog=STANDARD, data="")
    strangers = [value(f"tool.{number}", "1") for number in range(1_000)]
    assert len(taken_values(result_of(*strangers), catalog=STANDARD, data="").left_out) == METRICS_MAX


def test_an_invalid_result_is_refused_with_its_reasons() -> None:
    verdict = ImportVerdict(ImportStatus.INVALID, ())
    with pytest.raises(Invalid, match="no evidence"):
        check_imported(dataclasses.replace(result_of(), verdict=verdict), subject=DATA)
    check_imported(result_of(), subject=DATA)
