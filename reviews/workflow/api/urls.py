"""Addresses of the reviews API."""

from django.urls import URLPattern, path

from reviews.evidence import api as backtests
from reviews.quarterly.api import action_items, agenda, cycle_packets, cycles
from reviews.workflow.api import authorizations as authorisations
from reviews.workflow.api import costs, evidence, packets, requests, steps

urlpatterns: list[URLPattern] = [
    path("policies/<slug:name>/<int:number>/backtest/", backtests.PolicyBacktest.as_view(), name="policy-backtest"),
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
    path("reviews/<slug:ref>/authorisation/revoke/", authorisations.Revocation.as_view(), name="revoke"),
    path(
        "reviews/<slug:ref>/conditions/<int:condition_id>/confirm/",
        authorisations.Confirmation.as_view(),
        name="confirm-condition",
    ),
    path("cycles/", cycles.Cycles.as_view(), name="cycles"),
    path("cycles/<slug:quarter>/", cycles.Cycle.as_view(), name="cycle"),
    path("cycles/<slug:quarter>/hold/", cycles.Meeting.as_view(), name="cycle-hold"),
    path("cycles/<slug:quarter>/close/", cycles.Closing.as_view(), name="cycle-close"),
    path("cycles/<slug:quarter>/attendance/", cycles.Attendances.as_view(), name="cycle-attend"),
    path("cycles/<slug:quarter>/items/<int:item_id>/decisions/", cycles.Decisions.as_view(), name="cycle-decide"),
    path("cycles/<slug:quarter>/items/", agenda.Items.as_view(), name="cycle-add"),
    path("cycles/<slug:quarter>/items/<int:item_id>/remove/", agenda.ItemRemoval.as_view(), name="cycle-remove"),
    path("cycles/<slug:quarter>/items/<int:item_id>/move/", agenda.ItemPlace.as_view(), name="cycle-move"),
    path("cycles/<slug:quarter>/gather/", agenda.Gathering.as_view(), name="cycle-gather"),
    path("cycles/<slug:quarter>/cut-off/", agenda.CutOff.as_view(), name="cycle-cut-off"),
    path("cycles/<slug:quarter>/chair/", agenda.Chair.as_view(), name="cycle-chair"),
    path("cycles/<slug:quarter>/notes/", agenda.Notes.as_view(), name="cycle-notes"),
    path("cycles/<slug:quarter>/attendance/leave/", agenda.Leaving.as_view(), name="cycle-leave"),
    path("cycles/<slug:quarter>/actuals/", cycles.Actuals.as_view(), name="cycle-actuals"),
    path("cycles/<slug:quarter>/packets/", cycle_packets.CyclePackets.as_view(), name="cycle-packets"),
    path(
        "cycles/<slug:quarter>/packets/<int:number>/retry/",
        cycle_packets.CyclePacketRetry.as_view(),
        name="cycle-packet-retry",
    ),
    path(
        "cycles/<slug:quarter>/packets/<int:number>/pdf/",
        cycle_packets.CyclePacketPdf.as_view(),
        name="cycle-packet-pdf",
    ),
    path(
        "cycles/<slug:quarter>/packets/<int:number>/appendix.<slug:kind>",
        cycle_packets.CyclePacketAppendix.as_view(),
        name="cycle-packet-appendix",
    ),
    path("models/<slug:team>/<slug:slug>/kpis/", cycles.Kpis.as_view(), name="kpis"),
    path("actions/<slug:action>/", action_items.Action.as_view(), name="action"),
    path("actions/<slug:action>/acknowledge/", action_items.Acknowledgement.as_view(), name="action-acknowledge"),
    path("actions/<slug:action>/finish/", action_items.Finish.as_view(), name="action-finish"),
    path("actions/<slug:action>/drop/", action_items.Drop.as_view(), name="action-drop"),
    path("gate/", authorisations.Gate.as_view(), name="gate"),
]
