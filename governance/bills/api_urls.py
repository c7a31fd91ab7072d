"""Addresses of the API of bills."""

from django.urls import URLPattern, path

from governance.bills.api.bills import (
    AllocationDetail,
    AllocationProposal,
    AllocationRules,
    AllocationTrial,
    BillCancellation,
    BillDetail,
    BillRepetition,
    Bills,
    Rates,
    SpendExport,
    SpendList,
)

urlpatterns: list[URLPattern] = [
    path("bills/", Bills.as_view(), name="bills"),
    path("bills/<int:bill_id>/", BillDetail.as_view(), name="bill"),
    path("bills/<int:bill_id>/cancel/", BillCancellation.as_view(), name="bill-cancel"),
    path("bills/<int:bill_id>/retry/", BillRepetition.as_view(), name="bill-retry"),
    path("exchange-rates/", Rates.as_view(), name="rates"),
    path("allocation-rules/", AllocationRules.as_view(), name="allocation"),
    path("allocation-rules/preview/", AllocationTrial.as_view(), name="allocation-try"),
    path("allocation-rules/<int:number>/", AllocationDetail.as_view(), name="allocation-version"),
    path("allocation-rules/<int:number>/propose/", AllocationProposal.as_view(), name="allocation-propose"),
    path("spend/", SpendList.as_view(), name="spend"),
    path("spend.<slug:kind>", SpendExport.as_view(), name="spend-export"),
]
