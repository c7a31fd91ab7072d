"""Addresses of the pages of workflow."""

from django.urls import URLPattern, path

from reviews.workflow.web import costs, downloads, evidence, filing, lists, model_versions, page, steps
from reviews.workflow.web.drafts import autosave, changes, confirmation

urlpatterns: list[URLPattern] = [
    path("requests/", lists.index, name="list"),
    path("versions/<int:version_id>/", model_versions.detail, name="version"),
    path("versions/<int:version_id>/retirement/", model_versions.retirement, name="retirement"),
    path("requests.<slug:kind>", lists.export_requests, name="export"),
    path("requests/new/", filing.new, name="new"),
    path("requests/<str:ref>/", page.detail, name="detail"),
    path("requests/<str:ref>/edit/", filing.edit, name="edit"),
    path("requests/new/autosave/", autosave.new, name="autosave_new"),
    path("requests/<str:ref>/autosave/", autosave.edit, name="autosave"),
    path("requests/<str:ref>/submit/", confirmation.submit, name="submit"),
    path("requests/<str:ref>/review/", steps.request_review, name="request_review"),
    path("requests/<str:ref>/votes/", steps.vote, name="vote"),
    path("requests/<str:ref>/revise/", steps.revise, name="revise"),
    path("requests/<str:ref>/amend/", changes.amend, name="amend"),
    path("requests/<str:ref>/exchange/", changes.exchange, name="exchange"),
    path("requests/<str:ref>/again/", changes.again, name="again"),
    path("requests/<str:ref>/withdraw/", steps.withdraw, name="withdraw"),
    path("requests/<str:ref>/extend/", steps.extend, name="extend"),
    path("requests/<str:ref>/waivers/", steps.waive, name="waive"),
    path("requests/<str:ref>/metric-values/", evidence.state_metric_value, name="state_metric_value"),
    path("requests/<str:ref>/attested/", evidence.attest, name="attest"),
    path("requests/<str:ref>/imports/", evidence.import_result, name="import"),
    path("requests/<str:ref>/plan/", downloads.plan, name="plan"),
    path("requests/<str:ref>/projections/", evidence.state_projection, name="state_projection"),
    path(
        "requests/<str:ref>/contradictions/<slug:metric>/",
        evidence.answer_contradiction,
        name="answer_contradiction",
    ),
    path("requests/<str:ref>/checklist/<slug:item>/", evidence.answer_item, name="answer_item"),
    path("requests/<str:ref>/checklist/<slug:item>/file/", downloads.answer_file, name="answer_file"),
    path("requests/<str:ref>/costs/", costs.detail, name="costs"),
    path("requests/<str:ref>/costs.<slug:kind>", costs.export_costs, name="costs_export"),
    path("requests/<str:ref>/runs/", page.runs, name="runs"),
    path("requests/<str:ref>/runs/<int:run_id>/cancel/", evidence.cancel_run, name="cancel_run"),
    path("requests/<str:ref>/runs/<int:run_id>/repeat/", evidence.repeat_run, name="repeat_run"),
    path("requests/<str:ref>/packets/", steps.packets, name="packets"),
    path("requests/<str:ref>/packets/<int:number>/", downloads.packet, name="packet"),
    path("requests/<str:ref>/packets/<int:number>/document/", downloads.packet_document, name="packet_document"),
    path("requests/<str:ref>/packets/<int:number>/retry/", steps.retry_packet, name="retry_packet"),
    path("requests/<str:ref>/authorization/revoke/", steps.revoke, name="revoke"),
    path("requests/<str:ref>/authorization/statement/", downloads.statement, name="statement"),
    path("requests/<str:ref>/conditions/<int:condition_id>/", steps.confirm_condition, name="confirm_condition"),
    path("requests/<str:ref>/conditions/<int:condition_id>/lift/", steps.lift_condition, name="lift_condition"),
]
