"""Bills that others wrote: the public sample of FOCUS 1.0, and those of a generator, against an own reading of the
rows.

The sample (FinOps-Open-Cost-and-Usage-Spec/FOCUS-Sample-Data, CC-BY-4.0) is not part of the project; where it lies
beside the checkout it is read, elsewhere the test is skipped.
"""

import csv
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from config import env
from governance.bills.domain.aggregation import AggregatedBill, aggregate
from governance.bills.domain.file_kind import UnpackLimits, decompress, kind_of
from governance.bills.domain.header import HeaderMap
from governance.bills.domain.reading import open_source
from governance.bills.domain.report import report_of
from tests.factories.bills import row

SAMPLE = env.ROOT.parent / "shared" / "focus" / "focus_sample.csv"
ROWS = 3_000


def read(path: Path, folder: Path) -> tuple[AggregatedBill, HeaderMap]:
    kind = kind_of(path, name=path.name)
    source = open_source(decompress(path, kind=kind, folder=folder, caps=UnpackLimits()), kind=kind)
    return aggregate(source), source.header


def told(path: Path) -> Iterator[Mapping[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def sums(path: Path) -> dict[tuple[str, str, str], list[Decimal]]:
    """Billed, effective and list cost by provider, account and month, added up row by row."""
    found: dict[tuple[str, str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    for one in told(path):
        key = (one["ProviderName"], one["BillingAccountId"], one["BillingPeriodStart"][:10])
        costs = [Decimal(one[name]) for name in ("BilledCost", "EffectiveCost", "ListCost")]
        if one["ChargeCategory"] == "Purchase" and one["CommitmentDiscountId"] not in {"", "NULL"}:
            costs[1] = Decimal(0)
        found[key] = [total + cost for total, cost in zip(found[key], costs, strict=True)]
    return found


def found_sums(gathered: AggregatedBill) -> dict[tuple[str, str, str], list[Decimal]]:
    found: dict[tuple[str, str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    for line in gathered.lines.iter_rows(named=True):
        key = (line["provider"], line["billing_account"], line["period"].isoformat())
        costs = (line["billed"], line["effective"], line["listed"])
        found[key] = [total + cost for total, cost in zip(found[key], costs, strict=True)]
    return found


@pytest.mark.skipif(not SAMPLE.exists(), reason="the public sample of FOCUS is not part of the project")
def test_the_public_sample_adds_up_exactly(tmp_path: Path) -> None:
    gathered, header = read(SAMPLE, tmp_path)
    assert (gathered.rows_read, gathered.rows_kept, gathered.refused) == (1000, 1000, ())
    assert (header.version, header.extra, header.missing) == ("1.0", ("Id",), ())
    assert found_sums(gathered) == sums(SAMPLE)
    assert {key[0]: sum(1 for one in told(SAMPLE) if one["ProviderName"] == key[0]) for key in sums(SAMPLE)} == {
        "AWS": 942,
        "Microsoft": 51,
        "Oracle": 7,
    }
    assert gathered.lines["billed"].sum() == Decimal("20.520226728990")
    assert (gathered.lines["tags"] != "{}").sum() == sum(1 for one in told(SAMPLE) if one["Tags"] not in {"NULL", "{}"})
    report = report_of(gathered, header)
    assert report["notes"][0] == "Times without a time zone were read as UTC."
    assert [each["period"] for each in report["slices"]] == ["2024-09-01", "2024-09-01", "2024-09-01", "2024-10-01"]


@pytest.mark.parametrize(("provider", "version"), [("aws", "1.2"), ("azure", "1.3"), ("gcp", "1.2")])
def test_a_generated_bill_with_ai_services_adds_up_exactly(tmp_path: Path, provider: str, version: str) -> None:
    toolkit = Path(sys.executable).parent / "focus-toolkit"
    options = ["--provider", provider, "--focus-version", version, "--rows", str(ROWS), "--seed", "7"]
    subprocess.run([toolkit, "generate", *options, "--out", tmp_path], check=True, capture_output=True)
    (path,) = tmp_path.glob("*cost_and_usage*.csv")
    rows, hours = overlaid(list(told(path)))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    gathered, header = read(path, tmp_path)
    assert (gathered.rows_read, gathered.rows_kept, header.version) == (ROWS + 40, ROWS + 40, version)
    assert_sums(gathered, sums(path))
    of_ai = gathered.lines.filter(gathered.lines["service"] == "AmazonSageMaker")
    assert of_ai["gpu_hours"].sum() == hours
    assert {json.loads(tags)["model"] for tags in of_ai["tags"]} == {"visual-search", "ranker"}


def assert_sums(gathered: AggregatedBill, wanted: Mapping[tuple[str, str, str], list[Decimal]]) -> None:
    """Each line is rounded once to 12 places, and some of these metric values have more; nothing else may differ."""
    doubt = gathered.lines.height * Decimal("0.5e-12")
    found = found_sums(gathered)
    assert found.keys() == wanted.keys()
    for key, costs in found.items():
        assert [abs(one - other) <= doubt for one, other in zip(costs, wanted[key], strict=True)] == [True] * 3


def overlaid(rows: list[Mapping[str, str]]) -> tuple[list[dict[str, str]], Decimal]:
    """The rows and forty of an AI service, in the same account and period; and their GPU hours."""
    like = rows[0]
    names, hours, more = ("visual-search", "ranker"), Decimal(0), []
    for number in range(40):
        count, consumed = 1 + number % 8, Decimal(number) / 4
        hours += count * consumed
        usage = row(
            SkuPriceDetails=json.dumps({"GpuCount": count}),
            ConsumedQuantity=str(consumed),
            BilledCost=f"0.{number:07d}",
            Tags=json.dumps({"model": names[number % 2]}),
            ResourceId=f"endpoint/{number}",
        )
        kept = {name: like[name] for name in like if name.startswith("Billing") or name in PROVIDERS}
        times = {name: like[name] for name in ("ChargePeriodStart", "ChargePeriodEnd")}
        more.append({name: (usage | kept | times | {"BilledCost": usage["BilledCost"]}).get(name, "") for name in like})
    return [*map(dict, rows), *more], hours


PROVIDERS = ("ProviderName", "PublisherName", "InvoiceIssuerName", "ServiceProviderName", "HostProviderName")
