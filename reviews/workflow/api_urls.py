"""Addresses of the API of workflow."""

from django.urls import URLPattern, path

from reviews.workflow.api import authorizations as authorizations
from reviews.workflow.api import costs, evidence, packets, requests, steps

urlpatterns: list[URLPattern] = [
    path("reviews/", requests.Reviews.as_view(), name="reviews"),
    path("reviews.<slug:kind>", requests.ReviewsExport.as_view(), name="export"),
    path("reviews/<slug:ref>/", requests.Review.as_view(), name="review"),
    path("reviews/<slug:ref>/submit/", steps.Submission.as_view(), name="submit"),
    path("reviews/<slug:ref>/facts/", evidence.Facts.as_view(), name="facts"),
    path("reviews/<slug:ref>/projections/", evidence.Projections.as_view(), name="projections"),
    path("reviews/<slug:ref>/checklist/", evidence.Checklist.as_view(), name="checklist"),
    path("reviews/<slug:ref>/checklist/<slug:item>/", evidence.ChecklistItem.as_view(), name="checklist-item"),
    path("reviews/<slug:ref>/contradictions/<slug:fact>/", evidence.Contradiction.as_view(), name="contradiction"),
    path("reviews/<slug:ref>/benchmarks/", evidence.Benchmarks.as_view(), name="benchmarks"),
    path("reviews/<slug:ref>/costs/", costs.Costs.as_view(), name="costs"),
    path("reviews/<slug:ref>/waivers/", evidence.Waivers.as_view(), name="waivers"),
    path("reviews/<slug:ref>/request-review/", steps.ReviewRequested.as_view(), name="request-review"),
    path("reviews/<slug:ref>/votes/", steps.Votes.as_view(), name="votes"),
    path("reviews/<slug:ref>/revise/", steps.Revision.as_view(), name="revise"),
    path("reviews/<slug:ref>/withdraw/", steps.Withdrawal.as_view(), name="withdraw"),
    path("reviews/<slug:ref>/packet/", packets.Packets.as_view(), name="packet"),
    path("reviews/<slug:ref>/packet/pdf/", packets.PacketPdf.as_view(), name="packet-pdf"),
    path("reviews/<slug:ref>/packet/retry/", packets.PacketRetry.as_view(), name="packet-retry"),
    path("reviews/<slug:ref>/authorization/revoke/", authorizations.Revocation.as_view(), name="revoke"),
    path(
        "reviews/<slug:ref>/conditions/<int:condition_id>/confirm/",
        authorizations.Confirmation.as_view(),
        name="confirm-condition",
    ),
    path("gate/", authorizations.Gate.as_view(), name="gate"),
]
