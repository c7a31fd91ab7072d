"""SkyPilot's catalog: `vms.csv` of one cloud, with a row for each type, region and zone."""

import csv
import functools
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import IO

from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.importers.report import Collector, amount_of
from weighbridge.costs.prices.price import Hardware, Price, PriceList, PriceUnit, Term

COLUMNS = ("InstanceType", "AcceleratorName", "AcceleratorCount", "vCPUs", "MemoryGiB", "Price", "Region")
SPOT = "SpotPrice"
MEMORY_MIB = re.compile(r"'SizeInMiB':\s*(\d+)")
MIB_PER_GIB = 1_024


def read_skypilot(stream: IO[str], *, provider: str, as_of: date) -> PriceList:
    """Return the prices of `vms.csv`: on demand, and the cheapest spot price of each region's zones.

    Raises Invalid if a column is missing. Rows without a machine (attachable accelerators, TPUs) are skipped.
    """
    rows = csv.DictReader(stream)
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise Invalid(f"The file has no column {', '.join(missing)}; is it SkyPilot's vms.csv?", field="file")
    found, source = Collector(), f"SkyPilot catalog vms.csv of {provider}"
    try:
        for row in rows:
            place = f"line {rows.line_num}"
            found.add(place, functools.partial(_on_demand, row, provider, as_of, source))
            if row["InstanceType"] and row.get(SPOT):
                found.add(place, functools.partial(_spot, row, provider, as_of, source, found))
    except csv.Error as error:
        raise Invalid(f"Line {rows.line_num} is not valid CSV: {error}.", field="file") from error
    return found.imported(f"skypilot-{provider}-{as_of}", source, as_of)


def _on_demand(row: Mapping[str, str], provider: str, as_of: date, source: str) -> tuple[Price, ...] | None:
    if not row["InstanceType"] or not row["Price"]:
        return None
    return (_price(row, provider, as_of, source, Term.ON_DEMAND, "Price"),)


def _spot(row: Mapping[str, str], provider: str, as_of: date, source: str, found: Collector) -> tuple[Price, ...]:
    price = _price(row, provider, as_of, source, Term.SPOT, SPOT)
    known = found.find(price.key)
    if known is None or price.usd < known.usd:
        found.replace(price)
    return ()


def _price(row: Mapping[str, str], provider: str, as_of: date, source: str, term: Term, column: str) -> Price:
    region = _text(row, "Region")
    return Price(
        sku=f"{provider}/{region}/{row['InstanceType']}",
        provider=provider,
        region=region,
        usd=amount_of(row[column], field=column),
        unit=PriceUnit.INSTANCE_H,
        as_of=as_of,
        source=source,
        term=term,
        hardware=_hardware(row),
    )


def _hardware(row: Mapping[str, str]) -> Hardware:
    count = _number(row, "AcceleratorCount")
    memory = MEMORY_MIB.search(row.get("GpuInfo") or "")
    vcpus = _number(row, "vCPUs")
    return Hardware(
        gpu=row["AcceleratorName"] or "",
        gpus=int(count) if count is not None else 0,  # a fraction of a GPU does not count as a GPU
        gpu_gib=Decimal(memory[1]) / MIB_PER_GIB if memory else None,
        vcpus=int(vcpus) if vcpus is not None and vcpus >= 1 else None,
        memory_gib=_number(row, "MemoryGiB"),
    )


def _number(row: Mapping[str, str], column: str) -> Decimal | None:
    return amount_of(row[column], field=column, is_free_allowed=True) if row[column] else None


def _text(row: Mapping[str, str], column: str) -> str:
    if not row[column]:
        raise Invalid(f"{column} is empty.", field=column)
    return row[column]
