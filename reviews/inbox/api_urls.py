"""Addresses of the API of reminders."""

from django.urls import URLPattern, path

from reviews.inbox.api import Reminders

urlpatterns: list[URLPattern] = [path("reminders/", Reminders.as_view(), name="reminders")]
