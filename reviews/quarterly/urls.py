"""Addresses of the pages of quarterly."""

from django.urls import URLPattern, path

from reviews.quarterly.web import action_items, cycle_packets, cycles, meeting, scorecard

urlpatterns: list[URLPattern] = [
    path("cycles/", cycles.index, name="cycles"),
    path("cycles/<str:quarter>/", cycles.detail, name="cycle"),
    path("cycles/<str:quarter>/scorecard.<slug:kind>", cycles.export_scorecard, name="cycle_export"),
    path("cycles/<str:quarter>/minutes/", cycles.minutes, name="cycle_minutes"),
    path("cycles/<str:quarter>/refresh/", meeting.refresh, name="cycle_refresh"),
    path("cycles/<str:quarter>/cut-off/", meeting.move_cut_off, name="cycle_cut_off"),
    path("cycles/<str:quarter>/start/", meeting.open_meeting, name="cycle_start"),
    path("cycles/<str:quarter>/chair/", meeting.take_chair, name="cycle_chair"),
    path("cycles/<str:quarter>/notes/", meeting.write_notes, name="cycle_notes"),
    path("cycles/<str:quarter>/close/", meeting.close, name="cycle_close"),
    path("cycles/<str:quarter>/attendance/", meeting.attend, name="cycle_attend"),
    path("cycles/<str:quarter>/attendance/leave/", meeting.leave, name="cycle_leave"),
    path("cycles/<str:quarter>/agenda/", meeting.add_item, name="cycle_add"),
    path("cycles/<str:quarter>/agenda/<int:item_id>/remove/", meeting.remove_item, name="cycle_remove"),
    path("cycles/<str:quarter>/agenda/<int:item_id>/move/", meeting.move_item, name="cycle_move"),
    path("cycles/<str:quarter>/agenda/<int:item_id>/decisions/", meeting.decide, name="cycle_decide"),
    path("cycles/<str:quarter>/packets/", cycle_packets.live, name="cycle_packets"),
    path("cycles/<str:quarter>/packets/issue/", cycle_packets.issue, name="cycle_issue"),
    path("cycles/<str:quarter>/packets/<int:number>/", cycle_packets.preread, name="cycle_preread"),
    path("cycles/<str:quarter>/packets/<int:number>/pdf/", cycle_packets.pdf, name="cycle_pdf"),
    path("cycles/<str:quarter>/packets/<int:number>/document/", cycle_packets.document, name="cycle_document"),
    path(
        "cycles/<str:quarter>/packets/<int:number>/appendix.<slug:kind>", cycle_packets.appendix, name="cycle_appendix"
    ),
    path("cycles/<str:quarter>/packets/<int:number>/charts/<slug:name>/", cycle_packets.chart, name="cycle_chart"),
    path("cycles/<str:quarter>/packets/<int:number>/retry/", cycle_packets.retry, name="cycle_retry"),
    path("cycles/<str:quarter>/packets/<int:number>/invitations/", cycle_packets.invite, name="cycle_invite"),
    path("action-items/<str:action>/", action_items.detail, name="action"),
    path("action-items/<str:action>/acknowledge/", action_items.acknowledge, name="action_acknowledge"),
    path("action-items/<str:action>/finish/", action_items.finish, name="action_finish"),
    path("action-items/<str:action>/drop/", action_items.drop, name="action_drop"),
    path("scorecard/", scorecard.supply, name="scorecard"),
    path("scorecard/upload/", scorecard.upload, name="scorecard_upload"),
    path("models/<str:team>/<slug:slug>/kpis/", scorecard.of_model, name="kpis"),
    path("models/<str:team>/<slug:slug>/kpis/<slug:kpi>/retire/", scorecard.retire, name="kpi_retire"),
]
