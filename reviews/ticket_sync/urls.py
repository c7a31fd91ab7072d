"""Addresses of the pages of the ticket synchronization."""

from django.urls import URLPattern, path

from reviews.ticket_sync.web import inbound, oauth, people, routes, sites

urlpatterns: list[URLPattern] = [
    path("integrations/inbound/", inbound.numbers, name="inbound"),
    path("integrations/ticket-sites/", inbound.sites, name="ticket_sites_status"),
    path("settings/tickets/", sites.listed, name="ticket_sites"),
    path("settings/tickets/new/", sites.new, name="ticket_site_new"),
    path("settings/tickets/<int:site_id>/", sites.detail, name="ticket_site"),
    path("settings/tickets/<int:site_id>/address/", sites.address, name="ticket_site_address"),
    path("settings/tickets/<int:site_id>/credential/", sites.credential, name="ticket_site_credential"),
    path("settings/tickets/<int:site_id>/oauth/", oauth.page, name="ticket_site_oauth"),
    path("settings/tickets/<int:site_id>/oauth/callback/", oauth.callback, name="ticket_site_oauth_callback"),
    path("settings/tickets/<int:site_id>/webhook/", sites.webhook, name="ticket_site_webhook"),
    path("settings/tickets/<int:site_id>/webhook/old/", sites.drop_secret, name="ticket_site_drop_secret"),
    path("settings/tickets/<int:site_id>/options/", sites.options, name="ticket_site_options"),
    path("settings/tickets/<int:site_id>/people/", people.people, name="ticket_site_people"),
    path("settings/tickets/<int:site_id>/test/", sites.test, name="ticket_site_test"),
    path("settings/tickets/<int:site_id>/activate/", sites.activate, name="ticket_site_activate"),
    path("settings/tickets/<int:site_id>/remove/", sites.remove, name="ticket_site_remove"),
    path("settings/tickets/<int:site_id>/routes/new/", routes.new, name="ticket_route_new"),
    path("settings/tickets/routes/<int:route_id>/", routes.detail, name="ticket_route"),
    path("settings/tickets/routes/<int:route_id>/fields/", routes.fields, name="ticket_route_fields"),
    path("settings/tickets/routes/<int:route_id>/statuses/", routes.statuses, name="ticket_route_statuses"),
    path("settings/tickets/routes/<int:route_id>/preview/", routes.preview, name="ticket_route_preview"),
    path("settings/tickets/routes/<int:route_id>/remove/", routes.remove, name="ticket_route_remove"),
]
