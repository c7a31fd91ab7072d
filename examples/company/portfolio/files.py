"""Write the true values as files that a company would receive: monthly FOCUS 1.2 CSV and cluster accounting."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from examples.company.portfolio.company_model import Company
from examples.company.portfolio.oracle import TrueMonth, Truth, months_of, parts
from governance.budgets.domain.quarters import Quarter

PROVIDER = "Example Cloud (generated)"
CLUSTER = "hpc-1"
TAG = "model"
JOB_GPUS, JOBS = 8, 4
SHARED: Mapping[str, str] = {
    "ProviderName": PROVIDER,
    "PublisherName": PROVIDER,
    "InvoiceIssuerName": PROVIDER,
    "BillingAccountId": "generated-100",
    "BillingAccountName": "Generated company",
    "BillingAccountType": "Payer",
    "BillingCurrency": "USD",
    "PricingCurrency": "USD",
    "SubAccountType": "Project",
    "ChargeCategory": "Usage",
    "ChargeClass": "",
    "ChargeFrequency": "Usage-Based",
    "PricingCategory": "Standard",
    "RegionId": "example-1",
    "RegionName": "Example 1",
}
# The columns that name what a charge is for, those of its quantity, and the subject of traffic that nobody owns.
SUBJECT = (
    *("SubAccountId", "SubAccountName", "ServiceName", "ServiceCategory", "ChargeDescription"),
    *("SkuId", "SkuMeter", "ResourceId", "ResourceName", "ResourceType"),
)
QUANTITIES = ("ConsumedQuantity", "ConsumedUnit", "PricingQuantity", "PricingUnit")
SHARED_TRAFFIC = (
    *("generated-shared", "Shared", "Example Network", "Networking", "Traffic between regions"),
    *("traffic", "Traffic", "", "", ""),
)


def bill_name(month: date, *, is_first: bool = False) -> str:
    """The file name for a month."""
    return f"generated-focus-{month:%Y-%m}{'-first' if is_first else ''}.csv"


def write_bill(folder: Path, *, company: Company, truth: Truth, month: date, is_first: bool = False) -> Path:
    """The bill of a month; `is_first` writes what the provider said before it corrected itself."""
    rows = [row for row in truth.months if row.month == month]
    lines = [line for row in rows for line in _lines(company, row, is_first=is_first)]
    lines += list(_loose(month, truth.loose[month]))
    return _written(folder / bill_name(month, is_first=is_first), lines)


def write_accounting(folder: Path, *, company: Company, truth: Truth, quarter: Quarter) -> Path:
    """The trainings of a quarter as Slurm's `sacct` exports them."""
    rows = [row for month in months_of(quarter) for row in truth.months if row.month == month and row.gpu_hours]
    lines = [line for number, row in enumerate(rows) for line in _jobs(company, row, 1000 * (number + 1))]
    return _written(folder / f"generated-sacct-{quarter}.csv", lines)


def _lines(company: Company, row: TrueMonth, *, is_first: bool) -> Iterator[dict[str, str]]:
    model = next(each for each in company.models if each.slug == row.model)
    usd = row.first_usd if is_first and row.first_usd is not None else row.usd
    days = _days(row.month)
    units = parts(row.units.quantize(Decimal("0.01")), count=len(days))
    account = (f"generated-{model.team}", company.team(model.team).name)
    service = ("Example Inference", "AI and Machine Learning", f"Inference of {model.title}")
    sku = f"example.server.{'large' if model.usd_per_hour > 1 else 'medium'}"
    subject = (*account, *service, sku, "Server hours", f"endpoint/{model.slug}", model.title, "Endpoint")
    for day, cost, hours in zip(days, parts(usd, count=len(days)), units, strict=True):
        yield _line(row.month, day, cost, subject, (str(hours), "Hours"), {TAG: model.slug})


def _loose(month: date, usd: Decimal) -> Iterator[dict[str, str]]:
    """Unallocated traffic, which has no tags."""
    days = _days(month)
    for day, cost in zip(days, parts(usd, count=len(days)), strict=True):
        yield _line(month, day, cost, SHARED_TRAFFIC, ("120", "GB"), {})


def _line(
    month: date, day: date, usd: Decimal, subject: Sequence[str], quantity: tuple[str, str], tags: Mapping[str, str]
) -> dict[str, str]:
    after = _days(month)[-1] + timedelta(days=1)
    times = {
        "BillingPeriodStart": month,
        "BillingPeriodEnd": after,
        "ChargePeriodStart": day,
        "ChargePeriodEnd": day + timedelta(days=1),
    }
    costs = dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), f"{usd:f}")
    invoice = {"InvoiceId": f"generated-{month:%Y%m}", "PricingCurrencyEffectiveCost": f"{usd:f}"}
    return {
        **SHARED,
        **{name: f"{when}T00:00:00Z" for name, when in times.items()},
        **costs,
        **invoice,
        **dict(zip(SUBJECT, subject, strict=True)),
        **dict(zip(QUANTITIES, quantity * 2, strict=True)),
        "Tags": json.dumps({**tags, "origin": "generated"}),
    }


def _jobs(company: Company, row: TrueMonth, first: int) -> Iterator[dict[str, str]]:
    """Jobs whose GPU seconds are exactly the month's: the last one takes what even parts leave over."""
    model = next(each for each in company.models if each.slug == row.model)
    seconds = int(row.gpu_hours * 3600 / JOB_GPUS)
    each, left = divmod(seconds, JOBS)
    for number in range(JOBS):
        start = datetime.combine(row.month + timedelta(days=2 + 2 * number), time(6), tzinfo=UTC)
        yield {
            "JobID": str(first + number),
            "JobName": f"train-{model.slug}",
            "Account": model.team,
            "Partition": "gpu",
            "Start": f"{start:%Y-%m-%dT%H:%M:%S}",
            "ElapsedRaw": str(each + (left if number == JOBS - 1 else 0)),
            "AllocTRES": f"cpu=32,gres/gpu:a100={JOB_GPUS}",
            "Cluster": CLUSTER,
            "Comment": json.dumps({TAG: model.slug, "origin": "generated"}),
        }


def _days(month: date) -> list[date]:
    after = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return [month + timedelta(days=number) for number in range((after - month).days)]


def _written(path: Path, lines: list[dict[str, str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
    return path
