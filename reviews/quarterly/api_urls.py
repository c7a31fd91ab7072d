"""Addresses of the API of quarterly."""

from django.urls import URLPattern, path

from reviews.quarterly.api import action_items, agenda, cycle_packets, cycles

urlpatterns: list[URLPattern] = [
    path("cycles/", cycles.Cycles.as_view(), name="cycles"),
    path("cycles/<slug:quarter>/", cycles.Cycle.as_view(), name="cycle"),
    path("cycles/<slug:quarter>/start/", cycles.MeetingView.as_view(), name="cycle-hold"),
    path("cycles/<slug:quarter>/close/", cycles.Closing.as_view(), name="cycle-close"),
    path("cycles/<slug:quarter>/attendance/", cycles.Attendances.as_view(), name="cycle-attend"),
    path("cycles/<slug:quarter>/agenda/<int:item_id>/decisions/", cycles.Decisions.as_view(), name="cycle-decide"),
    path("cycles/<slug:quarter>/agenda/", agenda.Items.as_view(), name="cycle-add"),
    path("cycles/<slug:quarter>/agenda/<int:item_id>/remove/", agenda.ItemRemoval.as_view(), name="cycle-remove"),
    path("cycles/<slug:quarter>/agenda/<int:item_id>/move/", agenda.ItemPlace.as_view(), name="cycle-move"),
    path("cycles/<slug:quarter>/refresh/", agenda.Gathering.as_view(), name="cycle-gather"),
    path("cycles/<slug:quarter>/cut-off/", agenda.CutOff.as_view(), name="cycle-cut-off"),
    path("cycles/<slug:quarter>/chair/", agenda.Chair.as_view(), name="cycle-chair"),
    path("cycles/<slug:quarter>/notes/", agenda.Notes.as_view(), name="cycle-notes"),
    path("cycles/<slug:quarter>/attendance/leave/", agenda.Leaving.as_view(), name="cycle-leave"),
    path("cycles/<slug:quarter>/scorecard/", cycles.Actuals.as_view(), name="cycle-actuals"),
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
    path("action-items/<slug:action>/", action_items.Action.as_view(), name="action"),
    path("action-items/<slug:action>/acknowledge/", action_items.Acknowledgment.as_view(), name="action-acknowledge"),
    path("action-items/<slug:action>/finish/", action_items.Finish.as_view(), name="action-finish"),
    path("action-items/<slug:action>/drop/", action_items.DropView.as_view(), name="action-drop"),
]
