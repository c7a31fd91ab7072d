"""Addresses of the pages of inbox."""

from django.urls import URLPattern, path

from reviews.inbox import web as inbox

urlpatterns: list[URLPattern] = [
    path("", inbox.inbox, name="inbox"),
    path("inbox/steps/", inbox.take_steps, name="inbox_steps"),
]
