"""Addresses of the pages of notifications and webhooks."""

from django.urls import URLPattern, path

from governance.notifications.web import notices, preferences, webhooks

urlpatterns: list[URLPattern] = [
    path("notifications/", notices.listed, name="notifications"),
    path("notifications/read/", notices.read, name="notifications_read"),
    path("notifications/settings/", preferences.settings_page, name="notification_settings"),
    path("notifications/open/<str:token>/", notices.opened, name="notification_open"),
    path("notifications/unsubscribe/<str:token>/", preferences.unsubscribe_page, name="notification_unsubscribe"),
    path("webhooks/", webhooks.listed, name="webhooks"),
    path("webhooks/<int:webhook_id>/", webhooks.detail, name="webhook"),
    path("webhooks/<int:webhook_id>/rotate/", webhooks.rotate, name="webhook_rotate"),
    path("webhooks/<int:webhook_id>/test/", webhooks.test, name="webhook_test"),
    path("webhooks/<int:webhook_id>/remove/", webhooks.remove, name="webhook_remove"),
    path("webhooks/<int:webhook_id>/messages/<int:message_id>/replay/", webhooks.again, name="webhook_again"),
]
