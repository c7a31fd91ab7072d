"""The columns of FOCUS 1.0 to 1.4 that are read from a bill, and the closed vocabularies of the format.

Source: FinOps Open Cost and Usage Specification, versions 1.0 to 1.2 (column definitions), and the new columns of 1.3
and 1.4.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column by its name in FOCUS; `others` are its names in other versions or exports."""

    name: str
    is_needed: bool = False
    others: tuple[str, ...] = ()


QUANTITIES = ("BilledCost", "EffectiveCost", "ListCost", "ConsumedQuantity", "PricingQuantity", "x_ModelRequests")
UNIT_PRICES = ("ContractedUnitPrice", "ListUnitPrice")
NUMBERS = (*QUANTITIES, *UNIT_PRICES)
COLUMNS = (
    Column("ProviderName", is_needed=True, others=("ServiceProviderName", "Provider")),
    Column("BillingAccountId", is_needed=True),
    Column("BillingCurrency", is_needed=True),
    Column("BillingPeriodStart", is_needed=True),
    Column("BillingPeriodEnd", is_needed=True),
    Column("ChargePeriodStart", is_needed=True),
    Column("ChargePeriodEnd", is_needed=True),
    Column("ChargeCategory", is_needed=True, others=("ChargeType",)),
    Column("BilledCost", is_needed=True),
    Column("EffectiveCost", is_needed=True, others=("AmortizedCost",)),
    Column("ServiceName", is_needed=True),
    Column("ServiceCategory", is_needed=True),
    Column("ChargeClass"),
    Column("ListCost"),
    Column("SubAccountId"),
    Column("ResourceId"),
    Column("RegionId", others=("Region",)),
    Column("SkuId"),
    Column("SkuMeter", others=("x_UsageType",)),
    Column("SkuPriceDetails"),
    Column("ContractedUnitPrice"),
    Column("ListUnitPrice"),
    Column("ConsumedQuantity", others=("UsageQuantity",)),
    Column("ConsumedUnit", others=("UsageUnit",)),
    Column("PricingQuantity"),
    Column("PricingUnit"),
    Column("CommitmentDiscountId"),
    Column("CommitmentDiscountStatus"),
    Column("Tags"),
    Column("x_ModelId"),
    Column("x_ModelVersion"),
    Column("x_TokenDirection"),
    Column("x_TokenCacheAction"),
    Column("x_ModelRequests"),
)

EXPECTED = frozenset(  # required by FOCUS, but not needed here
    [
        "BillingAccountName",
        "ChargeClass",
        "ChargeDescription",
        "ContractedCost",
        "InvoiceIssuerName",
        "ListCost",
        "PricingQuantity",
        "PricingUnit",
        "PublisherName",
    ]
)
NEW_IN = {  # newest first: a file has the first version of which it contains a column
    "1.4": {"InvoiceDetailId", "CommitmentProgramEligibilityDetails"},
    "1.3": {"ServiceProviderName", "HostProviderName", "AllocatedMethodId", "AllocatedResourceId", "ContractApplied"},
    "1.2": {"InvoiceId", "BillingAccountType", "SubAccountType", "PricingCurrency", "PricingCurrencyEffectiveCost"},
    "1.1": {"SkuMeter", "SkuPriceDetails", "ServiceSubcategory", "CapacityReservationId", "CommitmentDiscountQuantity"},
}
FURTHER = frozenset(
    [
        "AvailabilityZone",
        "CapacityReservationStatus",
        "ChargeFrequency",
        "CommitmentDiscountCategory",
        "CommitmentDiscountName",
        "CommitmentDiscountType",
        "CommitmentDiscountUnit",
        "PricingCategory",
        "PricingCurrencyContractedUnitPrice",
        "PricingCurrencyListUnitPrice",
        "RegionName",
        "ResourceName",
        "ResourceType",
        "SkuPriceId",
        "SubAccountName",
        "AllocatedMethodDetails",
        "AllocatedResourceName",
        "AllocatedTags",
    ]
)

CATEGORIES = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")
CORRECTION = "Correction"
SERVICE_CATEGORIES = (
    "AI and Machine Learning",
    "Analytics",
    "Business Applications",
    "Compute",
    "Databases",
    "Developer Tools",
    "Identity",
    "Integration",
    "Internet of Things",
    "Management and Governance",
    "Media",
    "Migration",
    "Mobile",
    "Multicloud",
    "Networking",
    "Other",
    "Security",
    "Storage",
    "Web",
)
