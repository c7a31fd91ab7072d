"""Addresses of the API of quarterly."""

from django.urls import URLPattern, path

from reviews.quarterly.api import action_items, cycle_packets, cycles, scorecard

urlpatterns: list[URLPattern] = [
    path("cycles/", cycles.Cycles.as_view(), name="cycles"),
    path("cycles/<slug:quarter>/", cycles.Cycle.as_view(), name="cycle"),
    path("cycles/<slug:quarter>/start/", cycles.open_meeting.as_view(), name="cycle-hold"),
    path("cycles/<slug:quarter>/close/", cycles.close.as_view(), name="cycle-close"),
    path("cycles/<slug:quarter>/attendance/", cycles.attend.as_view(), name="cycle-attend"),
    path("cycles/<slug:quarter>/agenda/<int:item_id>/decisions/", cycles.decide.as_view(), name="cycle-decide"),
    path("cycles/<slug:quarter>/agenda/", cycles.add_item.as_view(), name="cycle-add"),
    path("cycles/<slug:quarter>/agenda/<int:item_id>/remove/", cycles.remove_item.as_view(), name="cycle-remove"),
    path("cycles/<slug:quarter>/agenda/<int:item_id>/put-back/", cycles.put_back_item.as_view(), name="cycle-put-back"),
    path("cycles/<slug:quarter>/agenda/<int:item_id>/move/", cycles.move_item.as_view(), name="cycle-move"),
    path("cycles/<slug:quarter>/refresh/", cycles.refresh.as_view(), name="cycle-gather"),
    path("cycles/<slug:quarter>/cut-off/", cycles.move_cut_off.as_view(), name="cycle-cut-off"),
    path("cycles/<slug:quarter>/chair/", cycles.take_chair.as_view(), name="cycle-chair"),
    path("cycles/<slug:quarter>/notes/", cycles.write_notes.as_view(), name="cycle-notes"),
    path("cycles/<slug:quarter>/attendance/leave/", cycles.leave.as_view(), name="cycle-leave"),
    path("cycles/<slug:quarter>/scorecard/", scorecard.Actuals.as_view(), name="cycle-actuals"),
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
    path("models/<slug:team>/<slug:slug>/kpis/", scorecard.Kpis.as_view(), name="kpis"),
    path("action-items/<slug:action>/", action_items.Action.as_view(), name="action"),
    path("action-items/<slug:action>/acknowledge/", action_items.acknowledge.as_view(), name="action-acknowledge"),
    path("action-items/<slug:action>/finish/", action_items.finish.as_view(), name="action-finish"),
    path("action-items/<slug:action>/drop/", action_items.drop.as_view(), name="action-drop"),
]
