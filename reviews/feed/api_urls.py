"""Addresses of the API of the gate and of the feed."""

from django.urls import URLPattern, path

from reviews.feed.api.feed import FeedEntryDetail, FeedHead, FeedPage
from reviews.feed.api.gate import Gate

urlpatterns: list[URLPattern] = [
    path("gate/", Gate.as_view(), name="gate"),
    path("feed/", FeedPage.as_view(), name="feed"),
    path("feed/head/", FeedHead.as_view(), name="feed-head"),
    path("feed/entries/<int:position>/", FeedEntryDetail.as_view(), name="feed-entry"),
]
