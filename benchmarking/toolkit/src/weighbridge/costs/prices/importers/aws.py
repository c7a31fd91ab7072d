"""AWS's price list: the bulk offer file of Amazon EC2 as JSON, by region (`AmazonEC2/current/<region>/index.json`).

Imports Linux machines with shared tenancy and no preinstalled software: on demand, and standard reservations, whose
hourly price includes a share of the upfront payment. The file is read as a stream.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import IO, Any

from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.importers.json_stream import Path, members
from weighbridge.costs.prices.importers.report import Collector, amount_of, day_of, hourly, text_of
from weighbridge.costs.prices.price import Hardware, Price, PriceList, PriceUnit, Term

OPENED = {(), ("products",), ("terms",), ("terms", "OnDemand"), ("terms", "Reserved")}
WANTED = {
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
}
COMMITMENTS = {
    ("1yr", "No Upfront"): (1, Term.COMMIT_1Y_NO_UPFRONT),
    ("1yr", "All Upfront"): (1, Term.COMMIT_1Y_ALL_UPFRONT),
    ("3yr", "No Upfront"): (3, Term.COMMIT_3Y_NO_UPFRONT),
    ("3yr", "Partial Upfront"): (3, Term.COMMIT_3Y_PARTIAL_UPFRONT),
    ("3yr", "All Upfront"): (3, Term.COMMIT_3Y_ALL_UPFRONT),
}
HOURS, QUANTITY = "Hrs", "Quantity"
AMOUNT = re.compile(r"[\d.]+")


def read_aws(stream: IO[str]) -> PriceList:
    """Return the prices as of the publication date; raise Invalid for the offer file of another service."""
    found, machines, as_of = Collector(), dict[str, Mapping[str, Any]](), None
    for path, value in members(stream, is_opened=lambda path: path in OPENED):
        if path == ("offerCode",) and value != "AmazonEC2":
            raise Invalid(f"The file is the offer file of {value}, not of AmazonEC2.", field="offerCode")
        if path == ("publicationDate",):
            as_of = day_of(value, field="publicationDate")
        if len(path) == 2 and path[0] == "products":
            if _is_wanted(value):
                machines[str(path[1])] = value["attributes"]
            else:
                found.skipped += 1
        if len(path) == 3:
            _add(found, machines, path, value, as_of)
    if as_of is None:
        raise Invalid("The file has no publicationDate; is it an AWS offer file?", field="publicationDate")
    return found.imported(f"aws-{as_of}", f"AWS price list of {as_of}", as_of)


def _add(
    found: Collector, machines: Mapping[str, Mapping[str, Any]], path: Path, offers: Any, as_of: date | None
) -> None:
    attributes = machines.get(str(path[2]))
    if attributes is None or as_of is None:
        return
    is_reserved = path[1] == "Reserved"
    for code, offer in offers.items():
        read = functools.partial(_price, attributes, offer, as_of, is_reserved=is_reserved)
        found.add(f"{path[2]}/{code}", read)


def _is_wanted(product: Any) -> bool:
    attributes = product.get("attributes", {})
    return str(product.get("productFamily", "")).startswith("Compute Instance") and all(
        attributes.get(name) == value for name, value in WANTED.items()
    )


def _price(
    attributes: Mapping[str, Any], offer: Mapping[str, Any], as_of: date, *, is_reserved: bool
) -> tuple[Price, ...] | None:
    years, term = 0, Term.ON_DEMAND
    if is_reserved:
        bought = offer.get("termAttributes", {})
        key = (str(bought.get("LeaseContractLength")), str(bought.get("PurchaseOption")))
        if bought.get("OfferingClass") != "standard" or key not in COMMITMENTS:
            return None
        years, term = COMMITMENTS[key]
    paid = dict(_paid(offer))
    if HOURS not in paid:
        raise Invalid("priceDimensions has no hourly price.", field="priceDimensions")
    region, name = text_of(attributes, "regionCode"), text_of(attributes, "instanceType")
    usd = hourly(paid[HOURS], upfront=paid.get(QUANTITY, Decimal(0)), years=years or 1)
    if not usd:
        raise Invalid("The price is 0, which means unknown.", field="pricePerUnit")
    price = Price(
        sku=f"aws/{region}/{name}",
        provider="aws",
        region=region,
        usd=usd,
        unit=PriceUnit.INSTANCE_H,
        as_of=as_of,
        source=f"AWS price list of {as_of}",
        term=term,
        hardware=_hardware(attributes),
    )
    return (price,)


def _paid(offer: Mapping[str, Any]) -> Iterator[tuple[str, Decimal]]:
    for dimension in offer.get("priceDimensions", {}).values():
        per_unit = dimension.get("pricePerUnit", {})
        if "USD" not in per_unit:
            raise Invalid(f"pricePerUnit is in {', '.join(per_unit) or 'no currency'}, not USD.", field="pricePerUnit")
        yield str(dimension.get("unit")), amount_of(per_unit["USD"], field="pricePerUnit", is_free_allowed=True)


def _hardware(attributes: Mapping[str, Any]) -> Hardware:
    memory, gpus, vcpus = (_leading(attributes.get(name)) for name in ("memory", "gpu", "vcpu"))
    gpu_gib = _leading(attributes.get("gpuMemory"))
    return Hardware(
        gpus=int(gpus) if gpus is not None else 0,
        gpu_gib=gpu_gib,
        vcpus=int(vcpus) if vcpus else None,
        memory_gib=memory,
    )


def _leading(value: Any) -> Decimal | None:
    """Return the number at the start of `16 GiB` or `8`; None for `NA`."""
    number = AMOUNT.match(str(value).replace(",", ""))
    return Decimal(number[0]) if number else None
