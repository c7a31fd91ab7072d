"""Addresses of the governance API."""

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
from governance.budgets.api.budget_changes import BudgetChanges
from governance.budgets.api.budgets import Budgets, Centres, LedgerExport, Terms
from governance.findings.api import FindingClosing, Findings
from governance.inventory.api import Models
from governance.operations.api.keys import PublicKey
from governance.operations.api.trail import Trail, TrailExport
from governance.people.approvals.api import ChangeConfirmation, ChangeDetail, ChangeRefusal, Changes
from governance.rulebook.api import Policies, PolicyDetail, PolicyProposal
from governance.site.api import schema

__all__ = ["schema", "urlpatterns"]

urlpatterns: list[URLPattern] = [
    path("models/", Models.as_view(), name="models"),
    path("policies/", Policies.as_view(), name="policies"),
    path("policies/<slug:name>/<int:number>/", PolicyDetail.as_view(), name="policy"),
    path("policies/<slug:name>/<int:number>/propose/", PolicyProposal.as_view(), name="policy-propose"),
    path("changes/", Changes.as_view(), name="changes"),
    path("changes/<int:change_id>/", ChangeDetail.as_view(), name="change"),
    path("changes/<int:change_id>/confirm/", ChangeConfirmation.as_view(), name="change-confirm"),
    path("changes/<int:change_id>/refuse/", ChangeRefusal.as_view(), name="change-refuse"),
    path("budgets/", Budgets.as_view(), name="budgets"),
    path("budgets/centres/", Centres.as_view(), name="budget-centres"),
    path("budgets/changes/", BudgetChanges.as_view(), name="budget-changes"),
    path("budgets/<slug:team>/<slug:quarter>/<slug:unit>/terms/", Terms.as_view(), name="account-terms"),
    path("findings/", Findings.as_view(), name="findings"),
    path("findings/<int:finding_id>/close/", FindingClosing.as_view(), name="finding-close"),
    path(
        "budgets/<slug:team>/<slug:quarter>/<slug:unit>/ledger.<slug:kind>",
        LedgerExport.as_view(),
        name="account-export",
    ),
    path("bills/", Bills.as_view(), name="bills"),
    path("bills/<int:bill_id>/", BillDetail.as_view(), name="bill"),
    path("bills/<int:bill_id>/cancel/", BillCancellation.as_view(), name="bill-cancel"),
    path("bills/<int:bill_id>/retry/", BillRepetition.as_view(), name="bill-retry"),
    path("rates/", Rates.as_view(), name="rates"),
    path("allocation-rules/", AllocationRules.as_view(), name="allocation"),
    path("allocation-rules/try/", AllocationTrial.as_view(), name="allocation-try"),
    path("allocation-rules/<int:number>/", AllocationDetail.as_view(), name="allocation-version"),
    path("allocation-rules/<int:number>/propose/", AllocationProposal.as_view(), name="allocation-propose"),
    path("spend/", SpendList.as_view(), name="spend"),
    path("spend.<slug:kind>", SpendExport.as_view(), name="spend-export"),
    path("audit.<slug:kind>", TrailExport.as_view(), name="audit-export"),
    path("audit/", Trail.as_view(), name="audit"),
    path("keys/", PublicKey.as_view(), name="keys"),
]
