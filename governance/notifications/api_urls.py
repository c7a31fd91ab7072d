"""Addresses of the API of notifications and webhooks."""

from django.urls import URLPattern, path

from governance.notifications.api.notices import Notifications, NotificationSettings, NotificationsRead
from governance.notifications.api.webhooks import (
    WebhookAgain,
    WebhookDetail,
    WebhookMessages,
    WebhookRemoval,
    WebhookRotation,
    Webhooks,
    WebhookTest,
)

urlpatterns: list[URLPattern] = [
    path("notifications/", Notifications.as_view(), name="notifications"),
    path("notifications/read/", NotificationsRead.as_view(), name="notifications-read"),
    path("notifications/settings/", NotificationSettings.as_view(), name="notification-settings"),
    path("webhooks/", Webhooks.as_view(), name="webhooks"),
    path("webhooks/<int:webhook_id>/", WebhookDetail.as_view(), name="webhook"),
    path("webhooks/<int:webhook_id>/rotate/", WebhookRotation.as_view(), name="webhook-rotate"),
    path("webhooks/<int:webhook_id>/remove/", WebhookRemoval.as_view(), name="webhook-remove"),
    path("webhooks/<int:webhook_id>/messages/", WebhookMessages.as_view(), name="webhook-messages"),
    path("webhooks/<int:webhook_id>/test/", WebhookTest.as_view(), name="webhook-test"),
    path("webhooks/<int:webhook_id>/messages/<int:message_id>/replay/", WebhookAgain.as_view(), name="webhook-again"),
]
