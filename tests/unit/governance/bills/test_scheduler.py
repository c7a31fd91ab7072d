import json
from datetime import date
from decimal import Decimal

import pytest

from governance.bills.domain.quantities.tokens import TOKEN_TEXTS
from governance.bills.domain.report import report_of
from governance.bills.domain.usage.scheduler import BATCH_ROWS, Scheduler, aggregate_usage
from tests.factories.bills import csv_bytes, written
from tests.refusals import has_code
from weighbridge.core.errors import Invalid

JOB = {
    "JobID": "17",
    "Account": "search",
    "Partition": "gpu",
    "JobName": "train",
    "WCKey": "",
    "Cluster": "",
    "Comment": "",
    "Start": "2026-09-03T10:00:00",
    "ElapsedRaw": "5400",
    "AllocTRES": "billing=8,cpu=8,gres/gpu:a100=4,gres/gpu=4,mem=64G",
}
POD = {
    "namespace": "ads",
    "workload": "ranker",
    "start": "2026-09-03T10:00:00Z",
    "end": "2026-09-03T10:30:00Z",
    "gpus": "0.5",
    "gpu": "mig-1g.10gb",
    "cluster": "k8s-1",
    "labels": '{"model": "ranker"}',
}


def gathered(folder, rows, scheduler=Scheduler.SLURM, **options):
    content = csv_bytes(rows, delimiter="|" if scheduler is Scheduler.SLURM else ",", **options)
    return aggregate_usage(written(folder, content), scheduler=scheduler, cluster="hpc")


def test_jobs_of_slurm_are_gpu_hours(tmp_path):
    steps = JOB | {"JobID": "17.batch"}
    cpu = JOB | {"JobID": "18", "AllocTRES": "cpu=8"}
    found = gathered(tmp_path, [JOB, steps, cpu, JOB | {"JobID": "19", "Comment": '{"model": "vs"}', "Cluster": "big"}])
    one, other = found.lines.sort("billing_account", descending=True).iter_rows(named=True)
    assert one | {"tags": json.loads(one["tags"])} == {
        "provider": "slurm",
        "billing_account": "hpc",
        "period": date(2026, 9, 1),
        "period_end": date(2026, 10, 1),
        "day": date(2026, 9, 3),
        "subaccount": "search",
        "resource": "",
        "sku": "a100",
        "service": "slurm",
        "service_category": "Compute",
        "region": "",
        "category": "Usage",
        "is_correction": False,
        "currency": "USD",
        "tags": {"account": "search", "job": "train", "partition": "gpu"},
        "rows": 1,
        "gpu_hours": Decimal(6),
        "billed": Decimal(0),
        "effective": Decimal(0),
        "listed": Decimal(0),
        "server_hours": Decimal(0),
        **dict.fromkeys(TOKEN_TEXTS, ""),
        **dict.fromkeys(("tokens", "model_requests", "remainder"), Decimal(0)),
    }
    assert (other["billing_account"], json.loads(other["tags"])["model"]) == ("big", "vs")
    assert (found.rows_read, found.rows_kept, found.refused) == (3, 2, ())
    assert report_of(found)["format"] == "scheduler"


@pytest.mark.parametrize(
    ("tres", "hours", "kind"),
    [
        ("gres/gpu=2", 3, ""),
        ("gres/gpu:a100=2,gres/gpu:v100=1", "4.5", "a100+v100"),
        ("cpu=1,gres/gpu:h100=8", 12, "h100"),
    ],
)
def test_gpus_are_counted_once(tmp_path, tres, hours, kind):
    (line,) = gathered(tmp_path, [JOB | {"AllocTRES": tres}]).lines.iter_rows(named=True)
    assert (line["gpu_hours"], line["sku"]) == (Decimal(hours), kind)


def test_pods_of_kubernetes_are_gpu_hours(tmp_path):
    found = gathered(tmp_path, [POD, POD, POD | {"gpus": "0"}], Scheduler.KUBERNETES)
    (line,) = found.lines.iter_rows(named=True)
    assert (line["provider"], line["billing_account"], line["subaccount"], line["sku"]) == (
        "kubernetes",
        "k8s-1",
        "ads",
        "mig-1g.10gb",
    )
    assert (line["rows"], line["gpu_hours"]) == (2, Decimal("0.5"))
    assert json.loads(line["tags"]) == {"model": "ranker", "namespace": "ads", "workload": "ranker"}


def test_hours_are_exact_to_twelve_places(tmp_path):
    (line,) = gathered(tmp_path, [JOB | {"AllocTRES": "gres/gpu=1", "ElapsedRaw": "1"}]).lines.iter_rows(named=True)
    assert line["gpu_hours"] == Decimal("0.000277777778")


def test_a_job_until_the_last_instant_of_the_month_is_kept(tmp_path):
    year_end = JOB | {"Start": "2026-12-31T23:00:00", "ElapsedRaw": "3600"}
    (line,) = gathered(tmp_path, [year_end]).lines.iter_rows(named=True)
    assert (line["period"], line["period_end"]) == (date(2026, 12, 1), date(2027, 1, 1))


@pytest.mark.parametrize(
    ("scheduler", "row", "reason"),
    [
        ("slurm", JOB | {"Start": "Unknown"}, "not a time like"),
        ("slurm", JOB | {"ElapsedRaw": "x"}, "whole seconds"),
        ("slurm", JOB | {"ElapsedRaw": "-1"}, "whole seconds"),
        ("slurm", JOB | {"AllocTRES": "gres/gpu=many"}, "number of GPUs"),
        ("slurm", JOB | {"Start": "2026-09-30T23:00:00"}, "within one month"),
        ("kubernetes", POD | {"end": "2026-09-02T00:00:00Z"}, "end must not be before"),
        ("kubernetes", POD | {"gpus": "-1"}, "number of GPUs"),
        ("kubernetes", POD | {"end": "2026-10-01T00:00:01Z"}, "within one month"),
    ],
)
def test_a_faulty_row_is_refused_and_shown(tmp_path, scheduler, row, reason):
    kind = Scheduler(scheduler)
    found = gathered(tmp_path, [JOB if kind is Scheduler.SLURM else POD, *[row] * 4], kind)
    (refusal,) = found.refused
    assert reason in refusal.reason
    assert (refusal.rows, len(refusal.examples), found.rows_kept) == (4, 3, 1)
    assert refusal.examples[0].startswith("row 3: ")


def test_a_zone_is_understood(tmp_path):
    (line,) = gathered(tmp_path, [JOB | {"Start": "2026-09-01T01:00:00+02:00", "ElapsedRaw": "3600"}]).lines.iter_rows(
        named=True
    )
    assert (line["day"], line["period"]) == (date(2026, 8, 31), date(2026, 8, 1))


def test_another_csv_is_refused(tmp_path):
    with pytest.raises(
        Invalid, match="not accounting of slurm, because these columns are missing: AllocTRES"
    ) as caught:
        gathered(tmp_path, [JOB], drop=["AllocTRES"])
    assert caught.value.field == "file"


def test_what_cannot_be_read_is_refused(tmp_path):
    path = written(tmp_path, csv_bytes([JOB], delimiter="|") + b"\xff|\n")
    with pytest.raises(Invalid, check=has_code("damaged")):
        aggregate_usage(path, scheduler=Scheduler.SLURM, cluster="hpc")


def test_a_listener_hears_every_row(tmp_path):
    heard = []
    path = written(tmp_path, csv_bytes([JOB] * (BATCH_ROWS + 5), delimiter="|"))
    aggregate_usage(path, scheduler=Scheduler.SLURM, cluster="hpc", on_rows=heard.append)
    assert heard == [BATCH_ROWS, 5]
