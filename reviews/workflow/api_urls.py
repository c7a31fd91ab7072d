"""Addresses of the API of workflow."""

from django.urls import URLPattern, path

from reviews.workflow.api import (
    attested,
    authorizations,
    bills,
    changes,
    evidence,
    imported,
    model_versions,
    packets,
    requests,
    steps,
)

urlpatterns: list[URLPattern] = [
    path("versions/<int:version_id>/", model_versions.VersionDetail.as_view(), name="version"),
    path("versions/<int:version_id>/card/", model_versions.Card.as_view(), name="card"),
    path("versions/<int:version_id>/bom/", model_versions.Bom.as_view(), name="bom"),
    path("versions/<int:version_id>/retirement/", model_versions.Retirement.as_view(), name="retirement"),
    path("requests/", requests.Requests.as_view(), name="requests"),
    path("requests.<slug:kind>", requests.RequestsExport.as_view(), name="export"),
    path("requests/<slug:ref>/", requests.RequestDetail.as_view(), name="request"),
    path("requests/<slug:ref>/edit/", requests.RequestEditing.as_view(), name="edit"),
    path("requests/<slug:ref>/submit/", steps.Submission.as_view(), name="submit"),
    path("requests/<slug:ref>/metric-values/", evidence.MetricValues.as_view(), name="metric_values"),
    path("requests/<slug:ref>/plan/", attested.PlanView.as_view(), name="plan"),
    path("requests/<slug:ref>/attested/", attested.AttestedResults.as_view(), name="attested"),
    path("requests/<slug:ref>/imports/", imported.ImportedFiles.as_view(), name="imports"),
    path("requests/<slug:ref>/projections/", evidence.Projections.as_view(), name="projections"),
    path("requests/<slug:ref>/checklist/", evidence.ChecklistView.as_view(), name="checklist"),
    path("requests/<slug:ref>/checklist/<slug:item>/", evidence.ChecklistItem.as_view(), name="checklist-item"),
    path(
        "requests/<slug:ref>/contradictions/<slug:metric>/", evidence.ContradictionView.as_view(), name="contradiction"
    ),
    path("requests/<slug:ref>/runs/", evidence.Runs.as_view(), name="runs"),
    path("requests/<slug:ref>/bills/", bills.RequestCostsView.as_view(), name="bills"),
    path("requests/<slug:ref>/waivers/", steps.Waivers.as_view(), name="waivers"),
    path("requests/<slug:ref>/review/", steps.ReviewRequested.as_view(), name="request-review"),
    path("requests/<slug:ref>/votes/", steps.Votes.as_view(), name="votes"),
    path("requests/<slug:ref>/votes/take-back/", steps.TakeBack.as_view(), name="take-back"),
    path("requests/<slug:ref>/revise/", steps.Revision.as_view(), name="revise"),
    path("requests/<slug:ref>/amend/", changes.Amendments.as_view(), name="amend"),
    path("requests/<slug:ref>/exchange/", changes.Exchange.as_view(), name="exchange"),
    path("requests/<slug:ref>/again/", changes.Copies.as_view(), name="again"),
    path("requests/<slug:ref>/withdraw/", steps.Withdrawal.as_view(), name="withdraw"),
    path("requests/<slug:ref>/extend/", steps.Extension.as_view(), name="extend"),
    path("requests/<slug:ref>/packets/", packets.Packets.as_view(), name="packets"),
    path("requests/<slug:ref>/packets/pdf/", packets.PacketPdf.as_view(), name="packet-pdf"),
    path("requests/<slug:ref>/packets/retry/", packets.PacketRetry.as_view(), name="packet-retry"),
    path("requests/<slug:ref>/authorization/revoke/", authorizations.Revocation.as_view(), name="revoke"),
    path(
        "requests/<slug:ref>/conditions/<int:condition_id>/confirm/",
        authorizations.Confirmation.as_view(),
        name="confirm-condition",
    ),
    path(
        "requests/<slug:ref>/conditions/<int:condition_id>/lift/",
        authorizations.ConditionLifting.as_view(),
        name="lift-condition",
    ),
]
