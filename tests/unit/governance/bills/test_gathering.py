"""Sums against an own reading of the same rows with the csv module and Decimal; refusals by the row."""

import csv
import io
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import cycle

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.bills.domain.aggregation import aggregate, report_rows
from governance.bills.domain.columns import COLUMNS
from governance.bills.domain.file_kind import FileKind
from governance.bills.domain.quantities.tokens import TOKEN_TEXTS
from governance.bills.domain.reading import open_source
from governance.bills.domain.report import report_of
from governance.bills.domain.slices import slices_of
from tests.factories.bills import ROW, csv_bytes, parquet_bytes, row, written
from weighbridge.core.errors import Invalid


def gathered(folder, rows, **options):
    return aggregate(open_source(written(folder, csv_bytes(rows, **options)), kind=FileKind.CSV))


def test_rows_of_one_day_and_thing_are_one_line(tmp_path):
    rows = [row(BilledCost="0.0000001", EffectiveCost="1e-7"), row(ChargePeriodStart="2026-09-03 00:00:00.5")]
    found = gathered(tmp_path, rows)
    (line,) = found.lines.iter_rows(named=True)
    assert line == {
        "provider": "AWS",
        "billing_account": "100",
        "period": date(2026, 9, 1),
        "period_end": date(2026, 10, 1),
        "day": date(2026, 9, 3),
        "subaccount": "200",
        "resource": "endpoint/visual-search",
        "sku": "ml.g5.xlarge",
        "service": "AmazonSageMaker",
        "service_category": "AI and Machine Learning",
        "region": "eu-west-1",
        "category": "Usage",
        **dict.fromkeys(TOKEN_TEXTS, ""),
        "is_correction": False,
        "currency": "USD",
        "tags": '{"model":"visual-search"}',
        "rows": 2,
        "billed": Decimal("10.0000001"),
        "effective": Decimal("8.0000001"),
        "listed": Decimal(24),
        "gpu_hours": Decimal(4),
        "server_hours": Decimal(4),
        **dict.fromkeys(("tokens", "model_requests", "remainder"), Decimal(0)),
    }
    assert (found.rows_read, found.rows_kept, found.refused, found.has_zoneless_times) == (2, 2, (), True)


def test_null_is_nothing_in_every_spelling(tmp_path):
    rows = [row(ResourceId=word, Tags=word, ChargeClass=word) for word in ("", "NULL", "null")]
    (line,) = gathered(tmp_path, rows).lines.iter_rows(named=True)
    assert (line["rows"], line["resource"], line["tags"]) == (3, "", "{}")


def test_corrections_and_currencies_are_kept_apart(tmp_path):
    rows = [row(), row(ChargeClass="Correction", BilledCost="-3", EffectiveCost="-2"), row(BillingCurrency="EUR")]
    found = gathered(tmp_path, rows)
    (one,) = slices_of(found.lines)
    assert one.totals == {"EUR": (Decimal(10), Decimal(8)), "USD": (Decimal(7), Decimal(6))}
    assert (one.rows, one.lines_count, one.gpu_hours, str(one)) == (3, 3, Decimal(6), "AWS 100, 2026-09")


def test_a_commitment_is_not_counted_twice(tmp_path):
    bought = row(ChargeCategory="Purchase", CommitmentDiscountId="ri-1", BilledCost="100", EffectiveCost="100")
    used = row(CommitmentDiscountId="ri-1", CommitmentDiscountStatus="Used", BilledCost="0", EffectiveCost="60")
    market = row(ChargeCategory="Purchase", BilledCost="5", EffectiveCost="5")
    found = gathered(tmp_path, [bought, used, market])
    assert (found.lines["billed"].sum(), found.lines["effective"].sum()) == (Decimal(105), Decimal(65))
    assert found.set_aside == {"USD": "100"}
    assert "effective cost of 100 USD; it is left out" in report_of(found)["notes"][0]


FAULTS = [
    ({"BilledCost": "ten"}, "figure_unreadable", "BilledCost is empty, EffectiveCost"),
    ({"ConsumedQuantity": "1,000"}, "figure_unreadable", "ConsumedQuantity is '1,000'"),
    ({"EffectiveCost": "NULL"}, "cost_missing", "BilledCost is '10', EffectiveCost is empty"),
    ({"ChargePeriodEnd": "2026-09-02T00:00:00Z"}, "charge_backwards", "ChargePeriodEnd is '2026-09-02T00:00:00Z'"),
    ({"ProviderName": ""}, "provider_missing", "ProviderName is empty"),
    ({"BillingAccountId": "NULL"}, "account_missing", "BillingAccountId is empty"),
    ({"BillingCurrency": "dollars"}, "currency_unknown", "BillingCurrency is 'dollars'"),
    ({"ChargeCategory": "usage"}, "category_unknown", "ChargeCategory is 'usage'"),
    ({"ChargeClass": "Fix"}, "class_unknown", "ChargeClass is 'Fix'"),
    ({"BillingPeriodEnd": "2026-09-01T00:00:00Z"}, "period_unreadable", "BillingPeriodEnd is '2026-09-01T00:00:00Z'"),
    ({"BillingPeriodStart": "September"}, "period_unreadable", "BillingPeriodStart is 'September'"),
    ({"ChargePeriodStart": "03.09.2026", "ChargePeriodEnd": "04.09.2026"}, "charge_unreadable", "is '03.09.2026'"),
    (
        {"BillingPeriodStart": "2026-09-01T00:00:00+02:00"},
        "not_utc",
        "BillingPeriodStart is '2026-09-01T00:00:00+02:00'",
    ),
]


@pytest.mark.parametrize(("changes", "check", "example"), FAULTS)
def test_a_faulty_row_is_refused_and_shown(tmp_path, changes, check, example):
    found = gathered(tmp_path, [row(), row(**changes), row(SkuId="b")])
    (refusal,) = found.refused
    assert (refusal.check, refusal.rows, found.rows_read, found.rows_kept) == (check, 1, 3, 2)
    if changes != {"BilledCost": "ten"}:
        assert example in refusal.examples[0]
    assert refusal.examples[0].startswith("row 3: ")
    assert found.lines["billed"].sum() == Decimal(20)


def test_at_most_three_examples_are_kept(tmp_path):
    found = gathered(tmp_path, [row(), *(row(ProviderName="") for _ in range(9))])
    assert [(each.rows, len(each.examples)) for each in found.refused] == [(9, 3)]


def test_a_file_without_a_row_to_keep_is_refused(tmp_path):
    with pytest.raises(
        Invalid,
        match=r"None of the 2 rows can be accepted\. Reason for 2 rows: ProviderName .*row 2: ProviderName is empty",
    ):
        report_of(gathered(tmp_path, [row(ProviderName=""), row(ProviderName="")]))
    with pytest.raises(Invalid, match="header but no rows"):
        report_of(gathered(tmp_path, []))


def test_a_period_with_two_ends_stands_there_twice(tmp_path):
    found = gathered(tmp_path, [row(), row(BillingPeriodEnd="2026-09-15T00:00:00Z")])
    with pytest.raises(
        Invalid, match="AWS 100 has two billing periods that start on 2026-09-01: one ends on 2026-09-15"
    ) as caught:
        report_of(found)
    assert caught.value.code == "duplicate_period"


def test_the_report_tells_everything(tmp_path):
    rows = [
        row(x_Id="1", Tags="model=a", ServiceCategory="Magic", ChargePeriodStart="2026-09-03 00:00:00"),
        row(BilledCost="x"),
    ]
    path = written(tmp_path, csv_bytes(rows, drop=["PublisherName"]))
    source = open_source(path, kind=FileKind.CSV)
    report = report_of(aggregate(source), source.header)
    assert report == {
        "format": "FOCUS 1.1",
        "rows_read": 2,
        "rows_kept": 1,
        "lines": 1,
        "refused": [
            {
                "check": "figure_unreadable",
                "reason": report["refused"][0]["reason"],
                "rows": 1,
                "examples": report["refused"][0]["examples"],
            }
        ],
        "slices": [
            {
                "provider": "AWS",
                "billing_account": "100",
                "period": "2026-09-01",
                "rows": 1,
                "gpu_hours": "2",
                "totals": [{"currency": "USD", "billed": "10", "effective": "8"}],
            }
        ],
        "notes": [
            "Times without a time zone were read as UTC.",
            "These columns are required by FOCUS but missing in the file: PublisherName.",
            "Columns that are not part of FOCUS were ignored: x_Id.",
            "The tags of 1 rows are not a JSON object; the rows count as untagged.",
            "FOCUS has no service category Magic; the rows were accepted.",
        ],
    }


def test_many_extra_columns_are_counted(tmp_path):
    path = written(tmp_path, csv_bytes([row(**{f"x_{n}": "1" for n in range(23)})]))
    source = open_source(path, kind=FileKind.CSV)
    assert report_of(aggregate(source), source.header)["notes"][0].endswith("x_19 and 3 more.")


def test_parquet_with_its_own_types_is_the_same_bill(tmp_path):
    from_csv = gathered(tmp_path, [row()]).lines

    def at(day, hour):
        return datetime(2026, 9, day, hour, tzinfo=UTC)

    typed = {
        **row(),
        "BilledCost": 10.0,
        "EffectiveCost": Decimal(8),
        "ListCost": 12,
        "PricingQuantity": 2.0,
        "ConsumedQuantity": 2,
        "BillingPeriodStart": at(1, 0),
        "BillingPeriodEnd": datetime(2026, 10, 1, tzinfo=UTC),
        "ChargePeriodStart": at(3, 0),
        "ChargePeriodEnd": at(3, 1),
        "ChargeClass": None,
        "CommitmentDiscountId": None,
        "CommitmentDiscountStatus": "NULL",
    }
    for tags in (
        {"model": "visual-search"},
        [{"key": "model", "value": "visual-search"}],
        '{"model": "visual-search"}',
    ):
        path = written(tmp_path, parquet_bytes([{**typed, "Tags": tags}]), "bill.parquet")
        found = aggregate(open_source(path, kind=FileKind.PARQUET))
        assert found.lines.equals(from_csv)
        assert not found.has_zoneless_times
    naive = {
        name: value.replace(tzinfo=None) if isinstance(value, datetime) else value for name, value in typed.items()
    }
    path = written(tmp_path, parquet_bytes([{**naive, "Tags": ["a"]}]), "bill.parquet")
    found = aggregate(open_source(path, kind=FileKind.PARQUET))
    assert (found.has_zoneless_times, found.rows_with_unreadable_tags) == (True, 1)


def test_a_parquet_file_that_is_none_inside_is_refused(tmp_path):
    with pytest.raises(Invalid, match="damaged"):
        open_source(written(tmp_path, b"PAR1" + b"x" * 40 + b"PAR1"), kind=FileKind.PARQUET)


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        (b"a,b" + b",c" * 60 + b"\n", "more fields than the header"),
        (b'"\xff\xfe"' + b"," * 25 + b"\n", "not UTF-8 text"),
        (b'"never closed' + b"," * 25 + b"\n", "cannot be read to its end"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path, tail, reason):
    path = written(tmp_path, csv_bytes(drop=set(ROW) - {column.name for column in COLUMNS}) + tail)
    with pytest.raises(Invalid, match=reason) as caught:
        aggregate(open_source(path, kind=FileKind.CSV))
    assert caught.value.code == "damaged"


def test_a_listener_hears_every_row_and_may_stop(tmp_path):
    heard = []
    path = written(tmp_path, csv_bytes([row() for _ in range(50)]))
    aggregate(open_source(path, kind=FileKind.CSV), on_rows=heard.append)
    assert sum(heard) == 50

    class Stopped(Exception):  # noqa: N818 -- a request to stop, not a malfunction
        pass

    def stop(_):
        raise Stopped

    with pytest.raises(Stopped):
        aggregate(open_source(path, kind=FileKind.CSV), on_rows=stop)


COSTS = st.decimals(-(10**9), 10**9, places=12, allow_nan=False, allow_infinity=False)


@settings(max_examples=25)
@given(
    st.lists(st.tuples(COSTS, COSTS, st.sampled_from("ab"), st.sampled_from(["USD", "EUR"])), min_size=1, max_size=30)
)
def test_sums_are_exact(tmp_path_factory, drawn):
    rows = [
        row(BilledCost=f"{billed:f}", EffectiveCost=f"{effective:E}", ResourceId=name, BillingCurrency=currency)
        for billed, effective, name, currency in drawn
    ]
    content = csv_bytes(rows)
    wanted = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for told in csv.DictReader(io.StringIO(content.decode())):
        total = wanted[told["ResourceId"], told["BillingCurrency"]]
        total[0] += Decimal(told["BilledCost"])
        total[1] += Decimal(told["EffectiveCost"])
    found = aggregate(open_source(written(tmp_path_factory.mktemp("bill"), content), kind=FileKind.CSV)).lines
    told = {
        (one["resource"], one["currency"]): [one["billed"], one["effective"]] for one in found.iter_rows(named=True)
    }
    assert told == dict(wanted)


def test_order_of_rows_and_file_kind_change_nothing(tmp_path):
    rows = [
        row(SkuId=str(n % 7), BilledCost=f"0.{n:012d}", Tags=tag)
        for n, tag in zip(range(200), cycle(["", '{"a":"b"}']))
    ]
    straight = gathered(tmp_path, rows).lines
    assert gathered(tmp_path, list(reversed(rows))).lines.equals(straight)
    path = written(tmp_path, parquet_bytes(rows), "b.parquet")
    assert aggregate(open_source(path, kind=FileKind.PARQUET)).lines.equals(straight)
    assert straight.height == 14


def test_rows_go_on_unchanged_past_the_listener():
    frame, heard = pl.DataFrame({"a": [1, 2]}), []
    assert report_rows(heard.append, frame) is frame
    assert heard == [2]
