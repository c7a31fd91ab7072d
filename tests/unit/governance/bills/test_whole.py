from decimal import Decimal

import pytest

from governance.bills.domain.file_kind import FileKind, UnpackLimits
from governance.bills.domain.pipeline import BillFile, RowCounter, read_bill, sniff
from governance.bills.domain.reading import rows_estimated
from tests.factories.bills import csv_bytes, gzip_bytes, parquet_bytes, row, written
from tests.refusals import has_code
from tests.unit.governance.bills.test_scheduler import JOB
from weighbridge.core.errors import Invalid, TooLarge

NAMES = {"bill.csv": csv_bytes, "bill.csv.gz": gzip_bytes, "bill.parquet": parquet_bytes}


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_each_kind_is_read_to_its_report(tmp_path, name):
    path, told = written(tmp_path, NAMES[name]([row(), row(SkuId="b")]), "content"), []
    sniff(path, BillFile(name))
    gathered, report = read_bill(
        path,
        BillFile(name),
        folder=tmp_path,
        caps=UnpackLimits(),
        on_share=lambda share, phase: told.append((share, phase)),
    )
    assert (report["rows_kept"], report["format"], gathered.lines["billed"].sum()) == (2, "FOCUS 1.1", Decimal(20))
    assert (told[-1][1], 0.69 < told[-1][0] < 0.91) == ("2 rows read", True)
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert (told[0][1] == "unpacking") == name.endswith(".gz")


def test_accounting_is_read_to_its_report(tmp_path):
    path = written(tmp_path, csv_bytes([JOB], delimiter="|"))
    order = BillFile("jobs.csv", "slurm", "hpc")
    sniff(path, order)
    _, report = read_bill(path, order, folder=tmp_path, caps=UnpackLimits(), on_share=lambda *_: None)
    assert (report["format"], report["slices"][0]["gpu_hours"]) == ("scheduler", "6")


@pytest.mark.parametrize(
    ("content", "order", "reason"),
    [
        (parquet_bytes(), BillFile("a.parquet", "slurm"), "must be CSV, not Parquet"),
        (csv_bytes(), BillFile("a.csv", "slurm"), "not accounting of slurm"),
        (csv_bytes([{"a": "1", "b": "2"}]), BillFile("a.csv"), "not a bill in the FOCUS format"),
        (gzip_bytes([{"a": "1", "b": "2"}]), BillFile("a.csv.gz"), "not a bill in the FOCUS format"),
        (gzip_bytes()[:12], BillFile("a.csv.gz"), "gzip file is damaged"),
        (gzip_bytes(), BillFile("a.csv"), "says csv"),
    ],
)
def test_what_the_first_bytes_show_is_refused_at_once(tmp_path, content, order, reason):
    with pytest.raises(Invalid, match=reason):
        sniff(written(tmp_path, content), order)


def test_parquet_is_no_accounting(tmp_path):
    path = written(tmp_path, parquet_bytes())
    with pytest.raises(Invalid, check=has_code("mislabeled")):
        read_bill(path, BillFile("a.parquet", "slurm"), folder=tmp_path, caps=UnpackLimits(), on_share=lambda *_: None)


def test_a_file_with_too_many_rows_is_refused(tmp_path):
    path = written(tmp_path, csv_bytes([row()] * 4))
    with pytest.raises(TooLarge, match="more than the 3 rows"):
        read_bill(path, BillFile("a.csv"), folder=tmp_path, caps=UnpackLimits(rows=3), on_share=lambda *_: None)


def test_rows_are_estimated(tmp_path):
    assert rows_estimated(written(tmp_path, parquet_bytes([row()] * 7)), kind=FileKind.PARQUET) == 7
    assert 4900 < rows_estimated(written(tmp_path, csv_bytes([row()] * 5000)), kind=FileKind.CSV) < 5100
    assert rows_estimated(written(tmp_path, b"a,b"), kind=FileKind.CSV) == 1


def test_the_counter_stops_at_the_first_row_too_many():
    told = []
    hear = RowCounter(4, UnpackLimits(rows=3), lambda share, phase: told.append(phase))
    hear(3)
    with pytest.raises(TooLarge, match="Split it by billing period"):
        hear(1)
    assert told == ["3 rows read"]
