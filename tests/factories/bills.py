"""Bills in the FOCUS format: rows with sensible values, and files of them as CSV, gzip and Parquet."""

import csv
import gzip
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

ROW: Mapping[str, str] = {
    "ProviderName": "AWS",
    "PublisherName": "AWS",
    "InvoiceIssuerName": "AWS",
    "BillingAccountId": "100",
    "BillingAccountName": "Payer",
    "SubAccountId": "200",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-09-01T00:00:00Z",
    "BillingPeriodEnd": "2026-10-01T00:00:00Z",
    "ChargePeriodStart": "2026-09-03T00:00:00Z",
    "ChargePeriodEnd": "2026-09-03T01:00:00Z",
    "ChargeCategory": "Usage",
    "ChargeClass": "",
    "ChargeDescription": "Inference",
    "BilledCost": "10",
    "EffectiveCost": "8",
    "ListCost": "12",
    "ContractedCost": "10",
    "PricingQuantity": "2",
    "PricingUnit": "Hours",
    "ConsumedQuantity": "2",
    "ConsumedUnit": "Hours",
    "ServiceName": "AmazonSageMaker",
    "ServiceCategory": "AI and Machine Learning",
    "SkuId": "ml.g5.xlarge",
    "SkuPriceDetails": '{"InstanceType":"ml.g5.xlarge","GpuCount":1}',
    "ResourceId": "endpoint/visual-search",
    "RegionId": "eu-west-1",
    "CommitmentDiscountId": "",
    "CommitmentDiscountStatus": "",
    "Tags": '{"model":"visual-search"}',
}


def row(**changes: str) -> dict[str, str]:
    """A row of usage: 2 hours of one GPU, billed 10 USD, effective 8 USD."""
    return {**ROW, **changes}


def csv_bytes(rows: Iterable[Mapping[str, str]] = (ROW,), *, drop: Iterable[str] = (), delimiter: str = ",") -> bytes:
    """A CSV with the header of the first row."""
    listed = list(rows)
    names = [name for name in (listed[0] if listed else ROW) if name not in set(drop)]
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, names, extrasaction="ignore", delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(listed)
    return stream.getvalue().encode()


def gzip_bytes(rows: Iterable[Mapping[str, str]] = (ROW,)) -> bytes:
    return gzip.compress(csv_bytes(rows), mtime=0)


def parquet_bytes(rows: Iterable[Mapping[str, object]] = (ROW,)) -> bytes:
    """A Parquet file with the types the values have."""
    stream = io.BytesIO()
    pl.DataFrame(list(rows)).write_parquet(stream)
    return stream.getvalue()


def written(folder: Path, content: bytes, name: str = "bill.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path
