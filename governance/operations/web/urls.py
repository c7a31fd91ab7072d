"""The addresses of the ground floor's pages."""

from django.urls import path

from governance.bills.web import allocation, bills
from governance.budgets.web import budgets
from governance.inventory import web as models
from governance.operations.web import findings, health, integrations, trail
from governance.people.approvals import web as changes
from governance.rulebook.web import policies, policy_form
from governance.site.web.styleguide import styleguide

app_name = "governance"
urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("models/", models.listed, name="models"),
    path("models/<slug:team>/<slug:slug>/", models.detail, name="model"),
    path("policy/", policies.listed, name="policies"),
    path("policy/<slug:kind>/new/", policies.draft, name="policy_draft"),
    path("policy/<slug:kind>/<slug:name>/diff/", policies.difference, name="policy_diff"),
    path("policy/policies/<slug:name>/<int:number>/form/", policy_form.edit, name="policy_form"),
    path("policy/<slug:kind>/<slug:name>/<int:number>/", policies.detail, name="policy"),
    path("policy/<slug:kind>/<slug:name>/<int:number>/propose/", policies.propose, name="policy_propose"),
    path("changes/", changes.listed, name="changes"),
    path("changes/<int:change_id>/", changes.detail, name="change"),
    path("changes/<int:change_id>/confirm/", changes.confirm, name="change_confirm"),
    path("changes/<int:change_id>/refuse/", changes.refuse, name="change_refuse"),
    path("budgets/", budgets.listed, name="budgets"),
    path("budgets/centres/", budgets.open_centre, name="budget_centre"),
    path("findings/", findings.listed, name="findings"),
    path("findings/<int:finding_id>/assign/", findings.assign, name="finding_assign"),
    path("findings/<int:finding_id>/close/", findings.close, name="finding_close"),
    path("budgets/<slug:team>/<slug:quarter>/<slug:unit>/", budgets.account, name="account"),
    path("budgets/<slug:team>/<slug:quarter>/<slug:unit>/terms/", budgets.terms, name="account_terms"),
    path("budgets/<slug:team>/<slug:quarter>/<slug:unit>/place/", budgets.place, name="account_place"),
    path(
        "budgets/<slug:team>/<slug:quarter>/<slug:unit>/change/", budgets.propose_change, name="budget_change_propose"
    ),
    path("budgets/<slug:team>/<slug:quarter>/<slug:unit>/ledger.<slug:kind>", budgets.exported, name="account_export"),
    path("spend/", allocation.spent, name="spend"),
    path("spend.<slug:kind>", allocation.spent_file, name="spend_export"),
    path("bills/", bills.listed, name="bills"),
    path("bills/rates/", bills.rates, name="rates"),
    path("bills/allocation/", allocation.listed, name="allocation"),
    path("bills/allocation/new/", allocation.draft, name="allocation_draft"),
    path("bills/allocation/<int:number>/", allocation.detail, name="allocation_version"),
    path("bills/allocation/<int:number>/propose/", allocation.propose, name="allocation_propose"),
    path("bills/<int:bill_id>/", bills.detail, name="bill"),
    path("bills/<int:bill_id>/live/", bills.live, name="bill_live"),
    path("bills/<int:bill_id>/cancel/", bills.cancel, name="bill_cancel"),
    path("bills/<int:bill_id>/retry/", bills.retry, name="bill_retry"),
    path("integrations/", integrations.listed, name="integrations"),
    path("integrations/connection/", integrations.connection, name="integrations_connection"),
    path("integrations/check/", integrations.check, name="integrations_check"),
    path("integrations/resume/", integrations.resume, name="integrations_resume"),
    path("integrations/<int:message_id>/retry/", integrations.retry, name="integrations_retry"),
    path("audit.<slug:kind>", trail.exported, name="audit_export"),
    path("audit/", trail.listed, name="audit"),
    path("audit/chain/", trail.chain, name="audit_chain"),
    path("styleguide/", styleguide, name="styleguide"),
]
