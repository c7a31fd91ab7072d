"""Addresses of the pages of bills."""

from django.urls import URLPattern, path

from governance.bills.web import allocation, bill_allocate, bill_spend, bills, spend

urlpatterns: list[URLPattern] = [
    path("spend/", spend.spend_page, name="spend"),
    path("spend.<slug:kind>", spend.spend_file, name="spend_export"),
    path("spend/cost-centers.<slug:kind>", spend.tree_file, name="spend_tree_export"),
    path("spend/unallocated/", spend.unallocated_page, name="unallocated"),
    path("spend/unallocated.<slug:kind>", spend.unallocated_file, name="unallocated_export"),
    path("bills.<slug:kind>", bills.exported, name="bills_export"),
    path("exchange-rates.<slug:kind>", bills.rates_exported, name="rates_export"),
    path("bills/", bills.listed, name="bills"),
    path("exchange-rates/", bills.rates, name="rates"),
    path("allocation-rules/", allocation.listed, name="allocation"),
    path("allocation-rules/new/", allocation.draft, name="allocation_draft"),
    path("allocation-rules/<int:number>/", allocation.detail, name="allocation_version"),
    path("allocation-rules/<int:number>/propose/", allocation.propose, name="allocation_propose"),
    path("bills/<int:bill_id>/", bills.detail, name="bill"),
    path("bills/<int:bill_id>/spend/", bill_spend.detail, name="bill_spend"),
    path("bills/<int:bill_id>/spend.<slug:kind>", bill_spend.exported, name="bill_spend_export"),
    path("bills/<int:bill_id>/allocate/", bill_allocate.allocate, name="bill_allocate"),
    path("bills/<int:bill_id>/live/", bills.live, name="bill_live"),
    path("bills/<int:bill_id>/cancel/", bills.cancel, name="bill_cancel"),
    path("bills/<int:bill_id>/retry/", bills.retry, name="bill_retry"),
]
