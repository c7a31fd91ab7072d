"""Importers: lists in the shapes their makers publish; what is taken, what is another kind's, what is a fault."""

import csv
import io
import json
from datetime import date
from decimal import Decimal

import pytest

from weighbridge.core.errors import Invalid, TooLarge
from weighbridge.costs.prices.currency import FxRate, FxTable
from weighbridge.costs.prices.importers import report
from weighbridge.costs.prices.importers.aws import read_aws
from weighbridge.costs.prices.importers.azure import read_azure
from weighbridge.costs.prices.importers.litellm import read_litellm
from weighbridge.costs.prices.importers.skypilot import read_skypilot
from weighbridge.costs.prices.price import Fault, Hardware, Meter, PriceTier, Term, TierRule

DAY = date(2026, 11, 1)
INFO = "{'Gpus': [{'Name': 'A10G', 'Count': 1.0, 'MemoryInfo': {'SizeInMiB': 24576}}], 'TotalGpuMemoryInMiB': 24576}"
VM = {
    "InstanceType": "g5.xlarge",
    "AcceleratorName": "A10G",
    "AcceleratorCount": "1.0",
    "vCPUs": "4.0",
    "MemoryGiB": "16.0",
    "GpuInfo": INFO,
    "Price": "1.006",
    "SpotPrice": "0.43",
    "Region": "us-east-1",
    "AvailabilityZone": "us-east-1a",
}
ITEM = {
    "currencyCode": "USD",
    "tierMinimumUnits": 0.0,
    "retailPrice": 3.673,
    "unitPrice": 3.673,
    "armRegionName": "eastus",
    "location": "US East",
    "effectiveStartDate": "2022-06-01T00:00:00Z",
    "productName": "NCads A100 v4 Series",
    "skuName": "NC24ads A100 v4",
    "serviceName": "Virtual Machines",
    "unitOfMeasure": "1 Hour",
    "type": "Consumption",
    "armSkuName": "Standard_NC24ads_A100_v4",
}
ATTRIBUTES = {
    "instanceType": "g5.xlarge",
    "regionCode": "us-east-1",
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
    "vcpu": "4",
    "memory": "16 GiB",
    "gpu": "1",
    "gpuMemory": "24 GB",
}
MODEL = {
    "litellm_provider": "openai",
    "mode": "chat",
    "input_cost_per_token": 1.5e-07,
    "output_cost_per_token": 6e-07,
    "cache_read_input_token_cost": 7.5e-08,
    "input_cost_per_token_batches": 7.5e-08,
}
EUROS = FxTable((FxRate("EUR", Decimal("1.1"), DAY, "a bank"),))


def vms(*changes):
    text = io.StringIO()
    rows = csv.DictWriter(text, VM)
    rows.writeheader()
    rows.writerows({**VM, **change} for change in changes)
    text.seek(0)
    return text


def skypilot(*changes):
    return read_skypilot(vms(*changes), provider="aws", as_of=DAY)


def azure(*changes, fx=None):
    items = [{name: value for name, value in {**ITEM, **change}.items() if value is not None} for change in changes]
    page = {"BillingCurrency": "USD", "Items": items, "NextPageLink": None, "Count": len(items)}
    return read_azure(io.StringIO(json.dumps(page)), as_of=DAY, fx=fx)


def dimension(amount, unit="Hrs", currency="USD"):
    return {"unit": unit, "pricePerUnit": {currency: amount}}


def reserved(lease, option, *dimensions, offering="standard"):
    bought = {"LeaseContractLength": lease, "OfferingClass": offering, "PurchaseOption": option}
    return {"termAttributes": bought, "priceDimensions": {str(n): each for n, each in enumerate(dimensions)}}


def offer(attributes=None, *, on_demand=None, reservations=(), **changes):
    usual = {"A.JRTC": {"priceDimensions": {"A.JRTC.6YS6": dimension("1.0060000000")}}}
    products = {
        "A": {"sku": "A", "productFamily": "Compute Instance", "attributes": {**ATTRIBUTES, **(attributes or {})}},
        "B": {"sku": "B", "productFamily": "Storage", "attributes": {}},
    }
    document = {
        "formatVersion": "v1.0",
        "offerCode": "AmazonEC2",
        "publicationDate": "2026-10-30T21:15:40Z",
        "products": products,
        "terms": {
            "OnDemand": {"A": on_demand or usual, "B": usual},
            "Reserved": {"A": {str(n): each for n, each in enumerate(reservations)}},
        },
        **changes,
    }
    return read_aws(io.StringIO(json.dumps({name: value for name, value in document.items() if value is not None})))


def litellm(**models):
    return read_litellm(io.StringIO(json.dumps({"sample_spec": {"mode": "one of"}, **models})), as_of=DAY)


def test_skypilot_rows_become_prices_on_demand_and_the_cheapest_spot_of_the_zones():
    found = skypilot({}, {"SpotPrice": "0.40"}, {"SpotPrice": "0.44"}, {"InstanceType": "", "SpotPrice": ""})
    on_demand, spot = found.prices
    assert (on_demand.sku, on_demand.usd, spot.term, spot.usd) == (
        "aws/us-east-1/g5.xlarge",
        Decimal("1.006"),
        Term.SPOT,
        Decimal("0.40"),
    )
    assert on_demand.hardware == Hardware(gpu="A10G", gpus=1, gpu_gib=Decimal(24), vcpus=4, memory_gib=Decimal("16.0"))
    assert (found.name, found.as_of, found.faults, found.skipped) == ("skypilot-aws-2026-11-01", DAY, (), 1)


def test_skypilot_machines_without_a_gpu_or_with_a_part_of_one():
    bare = {"AcceleratorName": "", "AcceleratorCount": "", "GpuInfo": "", "vCPUs": "", "MemoryGiB": ""}
    part = {"InstanceType": "g6f.large", "AcceleratorName": "L4", "AcceleratorCount": "0.125", "vCPUs": "0.5"}
    one, _, other, _ = skypilot({**bare, "InstanceType": "c5.large"}, part).prices
    assert one.hardware == Hardware()
    assert (other.hardware.gpus, other.hardware.vcpus, other.usd_per_gpu_h) == (0, None, None)


def test_a_bad_row_is_told_with_its_line_and_field_and_the_rest_is_taken():
    found = skypilot(
        {}, {"Price": "cheap"}, {"Price": "0.0"}, {"Region": ""}, {"Price": "2"}, {"AcceleratorCount": "-1"}
    )
    assert [(fault.row, fault.field) for fault in found.faults] == [
        ("line 3", "Price"),
        ("line 4", "Price"),
        ("line 5", "Region"),
        ("line 5", "Region"),
        ("line 6", "usd"),
        ("line 7", "AcceleratorCount"),
        ("line 7", "AcceleratorCount"),
    ]
    assert found.faults[1].reason == "Price is 0, which means that the price is unknown."
    assert found.faults[4].reason == "aws/us-east-1/g5.xlarge (on_demand, whole) is 1.006 USD above and 2 here."
    assert len(found.prices) == 2


def test_a_machine_that_is_only_to_be_had_as_spot():
    (spot,) = skypilot({"Price": ""}).prices
    assert spot.term is Term.SPOT


def test_what_is_not_skypilots_is_refused():
    with pytest.raises(Invalid, match="has no column AcceleratorName, AcceleratorCount"):
        read_skypilot(io.StringIO("InstanceType,Price,Region,vCPUs,MemoryGiB\n"), provider="aws", as_of=DAY)
    with pytest.raises(Invalid, match="no column InstanceType"):
        read_skypilot(io.StringIO(""), provider="aws", as_of=DAY)
    with pytest.raises(Invalid, match="1 rows skipped"):
        skypilot({"InstanceType": "", "SpotPrice": ""})
    with pytest.raises(Invalid, match="First error: line 2: Region is empty"):
        skypilot({"Region": ""})
    huge = vms({"GpuInfo": "x" * (csv.field_size_limit() + 1)})
    with pytest.raises(Invalid, match="is not valid CSV: field larger"):
        read_skypilot(huge, provider="aws", as_of=DAY)


def test_azure_on_demand_spot_and_reservations_of_a_whole_term():
    year, three = (
        {"type": "Reservation", "reservationTerm": "1 Year"},
        {"type": "Reservation", "reservationTerm": "3 Years"},
    )
    found = azure(
        {},
        {"skuName": "NC24ads A100 v4 Spot", "retailPrice": 0.68},
        {**year, "retailPrice": 20_593.0},
        {**three, "retailPrice": 44_676.0},
    )
    assert {price.term: price.usd for price in found.prices} == {
        Term.ON_DEMAND: Decimal("3.673"),
        Term.SPOT: Decimal("0.68"),
        Term.COMMIT_1Y_ALL_UPFRONT: Decimal("2.3507990868"),  # 20,593 / 8,760
        Term.COMMIT_3Y_ALL_UPFRONT: Decimal("1.7"),  # 44,676 / 26,280
    }
    assert found.prices[0].sku == "azure/eastus/Standard_NC24ads_A100_v4"
    assert found.prices[0].note == "in force since 2022-06-01"


@pytest.mark.parametrize(
    "other",
    [
        {"serviceName": "Storage"},
        {"productName": "NCads A100 v4 Series Windows"},
        {"skuName": "NC24ads Low Priority"},
        {"unitOfMeasure": "1/Month"},
        {"type": "DevTestConsumption"},
        {"effectiveStartDate": "2026-12-01T00:00:00Z"},
        {"effectiveEndDate": "2026-10-31T23:59:59Z"},
        {"type": "Reservation", "reservationTerm": "5 Years"},
    ],
)
def test_azure_rows_of_another_kind_or_day_are_passed_over(other):
    found = azure({}, {"armSkuName": "other", **other})
    assert (len(found.prices), found.skipped, found.faults) == (1, 1, ())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"retailPrice": 0.0}, "retailPrice"),
        ({"retailPrice": -1}, "retailPrice"),
        ({"retailPrice": None}, "retailPrice"),
        ({"retailPrice": True}, "retailPrice"),
        ({"armRegionName": ""}, "armRegionName"),
        ({"armSkuName": None}, "armSkuName"),
        ({"effectiveStartDate": "yesterday"}, "effectiveStartDate"),
        ({"armSkuName": "a b"}, "sku"),
    ],
)
def test_azure_faults_name_the_row_and_the_field(change, field):
    (fault,) = azure({}, change).faults
    assert (fault.row, fault.field) == ("Items/1", field)


def test_azure_in_another_currency_needs_a_dated_rate_and_never_two_currencies():
    euros = {"currencyCode": "EUR", "retailPrice": 3.0}
    (price,) = azure(euros, fx=EUROS).prices
    assert (price.usd, price.conversion.currency) == (Decimal("3.30"), "EUR")
    with pytest.raises(Invalid, match="add a dated exchange rate to USD"):
        azure(euros)
    with pytest.raises(Invalid, match="not EUR, USD; convert"):
        azure({}, euros, fx=EUROS)


def test_azure_rows_may_come_as_a_bare_list():
    found = read_azure(io.StringIO(json.dumps([ITEM])), as_of=DAY)
    assert [price.usd for price in found.prices] == [Decimal("3.673")]


def test_aws_on_demand_and_reservations_with_what_is_paid_in_advance():
    found = offer(
        reservations=[
            reserved("1yr", "No Upfront", dimension("0.6340000000")),
            reserved("1yr", "All Upfront", dimension("0.0000000000"), dimension("5256", "Quantity")),
            reserved("3yr", "Partial Upfront", dimension("0.2"), dimension("5256", "Quantity")),
            reserved("1yr", "Partial Upfront", dimension("0.3"), dimension("2628", "Quantity")),
            reserved("3yr", "No Upfront", dimension("0.4"), offering="convertible"),
        ]
    )
    assert {price.term: price.usd for price in found.prices} == {
        Term.ON_DEMAND: Decimal("1.006"),
        Term.COMMIT_1Y_NO_UPFRONT: Decimal("0.634"),
        Term.COMMIT_1Y_ALL_UPFRONT: Decimal("0.6"),  # 5,256 / 8,760
        Term.COMMIT_3Y_PARTIAL_UPFRONT: Decimal("0.4"),  # 0.2 + 5,256 / 26,280
    }
    assert (found.as_of, found.source, found.skipped) == (date(2026, 10, 30), "AWS price list of 2026-10-30", 3)
    assert found.prices[0].hardware == Hardware(gpus=1, gpu_gib=Decimal(24), vcpus=4, memory_gib=Decimal(16))


def test_aws_machines_without_a_gpu():
    found = offer({"gpu": None, "gpuMemory": "NA", "memory": "1,024 GiB", "vcpu": "NA"})
    assert found.prices[0].hardware == Hardware(memory_gib=Decimal(1024))


@pytest.mark.parametrize(
    "other",
    [
        {"operatingSystem": "Windows"},
        {"tenancy": "Dedicated"},
        {"preInstalledSw": "SQL Std"},
        {"capacitystatus": "UnusedCapacityReservation"},
    ],
)
def test_aws_machines_of_another_kind_are_passed_over(other):
    with pytest.raises(Invalid, match="2 rows skipped"):
        offer(other)


@pytest.mark.parametrize(
    ("attributes", "dimensions", "field"),
    [
        ({}, [dimension("0.0")], "pricePerUnit"),
        ({}, [dimension("x")], "pricePerUnit"),
        ({}, [dimension("1", currency="CNY")], "pricePerUnit"),
        ({}, [{"unit": "Hrs"}], "pricePerUnit"),
        ({}, [dimension("1", unit="Quantity")], "priceDimensions"),
        ({"regionCode": None}, [dimension("1")], "regionCode"),
    ],
)
def test_aws_faults_name_the_field(attributes, dimensions, field):
    good = {"g.1": {"priceDimensions": {"1": dimension("1")}}} if not attributes else {}
    bad = {"A.1": {"priceDimensions": {str(n): each for n, each in enumerate(dimensions)}}}
    if attributes:
        with pytest.raises(Invalid, match="First error: A/A\\.1: regionCode is missing"):
            offer(attributes, on_demand=bad)
        return
    found = offer(attributes, on_demand={**bad, **good})
    assert [(fault.row, fault.field) for fault in found.faults] == [("A/A.1", field)]


def test_what_is_not_the_offer_of_ec2_is_refused():
    with pytest.raises(Invalid, match="is the offer file of AmazonS3"):
        offer(offerCode="AmazonS3")
    with pytest.raises(Invalid, match="has no publicationDate"):
        offer(publicationDate=None)


def test_litellm_prices_are_by_the_million_exactly():
    found = litellm(**{"gpt-4o-mini": MODEL})
    assert {(price.term, price.meter): price.usd for price in found.prices} == {
        (Term.ON_DEMAND, Meter.INPUT): Decimal("0.15"),
        (Term.BATCH, Meter.INPUT): Decimal("0.075"),
        (Term.ON_DEMAND, Meter.OUTPUT): Decimal("0.6"),
        (Term.ON_DEMAND, Meter.CACHE_READ): Decimal("0.075"),
    }
    assert {price.sku for price in found.prices} == {"openai/gpt-4o-mini"}


def test_litellm_names_and_tiers_in_the_book_s_own_words():
    gemini = {
        **MODEL,
        "litellm_provider": "gemini",
        "input_cost_per_token_above_200k_tokens": 3e-07,
        "input_cost_per_token_above_128k_tokens": 2e-07,
        "input_cost_per_token_above_200k_tokens_priority": 9e-07,
        "output_cost_per_token_above_200k_tokens": None,
    }
    found = {(price.term, price.meter): price for price in litellm(**{"gemini/gemini-2.5-pro": gemini}).prices}
    given = found[Term.ON_DEMAND, Meter.INPUT]
    assert given.sku == "google/gemini-2.5-pro"
    assert given.tiers == (PriceTier(Decimal(128_000), Decimal("0.2")), PriceTier(Decimal(200_000), Decimal("0.3")))
    assert (given.tier_rule, found[Term.ON_DEMAND, Meter.OUTPUT].tiers) == (TierRule.ALL_UNITS, ())


def test_litellm_deprecations_become_retirements():
    dated = {**MODEL, "deprecation_date": "2027-01-14", "successor_model": "openai/gpt-6-luna"}
    found = litellm(**{"openai/gpt-4o-mini": dated, "gpt-4": {**MODEL, "deprecation_date": "2027-02-01"}})
    assert {sku: (each.on, each.successor) for sku, each in found.retirements.items()} == {
        "openai/gpt-4o-mini": (date(2027, 1, 14), "gpt-6-luna"),
        "openai/gpt-4": (date(2027, 2, 1), ""),
    }


def test_litellm_faults_and_other_modes():
    found = litellm(
        good=MODEL,
        painter={**MODEL, "mode": "image_generation"},
        nobody={"mode": "chat"},
        text="x",
        late={**MODEL, "deprecation_date": "soon"},
        minus={**MODEL, "output_cost_per_token": -1},
    )
    assert found.skipped == 1
    assert [(fault.row, fault.field) for fault in found.faults] == [
        ("nobody", "litellm_provider"),
        ("text", "litellm_provider"),
        ("late", "deprecation_date"),
        ("minus", "output_cost_per_token"),
    ]
    assert isinstance(found.faults[0], Fault)


def test_a_list_that_is_no_object_of_models_is_refused():
    with pytest.raises(Invalid, match="has no prices to import"):
        read_litellm(io.StringIO("[1]"), as_of=DAY)
    with pytest.raises(Invalid, match="must be a JSON object of models"):
        read_litellm(io.StringIO("3"), as_of=DAY)


def test_a_list_of_too_many_prices_is_refused(monkeypatch):
    monkeypatch.setattr(report, "PRICES_MAX", 2)
    with pytest.raises(TooLarge, match="more than 2 prices"):
        litellm(**{"gpt-4o-mini": MODEL})
