"""Addresses of the API of the inbox."""

from django.urls import URLPattern, path

from reviews.inbox.api import InboxEntries, Reminders

urlpatterns: list[URLPattern] = [
    path("inbox/", InboxEntries.as_view(), name="inbox"),
    path("reminders/", Reminders.as_view(), name="reminders"),
]
