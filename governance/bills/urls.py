"""Addresses of the pages of bills."""

from django.urls import URLPattern, path

from governance.bills.web import allocation, bills

urlpatterns: list[URLPattern] = [
    path("spend/", allocation.spend_page, name="spend"),
    path("spend.<slug:kind>", allocation.spend_file, name="spend_export"),
    path("bills/", bills.listed, name="bills"),
    path("exchange-rates/", bills.rates, name="rates"),
    path("allocation-rules/", allocation.listed, name="allocation"),
    path("allocation-rules/new/", allocation.draft, name="allocation_draft"),
    path("allocation-rules/<int:number>/", allocation.detail, name="allocation_version"),
    path("allocation-rules/<int:number>/propose/", allocation.propose, name="allocation_propose"),
    path("bills/<int:bill_id>/", bills.detail, name="bill"),
    path("bills/<int:bill_id>/live/", bills.live, name="bill_live"),
    path("bills/<int:bill_id>/cancel/", bills.cancel, name="bill_cancel"),
    path("bills/<int:bill_id>/retry/", bills.retry, name="bill_retry"),
]
