"""Addresses of the API of the feed."""

from django.urls import URLPattern, path

from reviews.feed.api import FeedEntryDetail, FeedHead, FeedPage

urlpatterns: list[URLPattern] = [
    path("feed/", FeedPage.as_view(), name="feed"),
    path("feed/head/", FeedHead.as_view(), name="feed-head"),
    path("feed/entries/<int:position>/", FeedEntryDetail.as_view(), name="feed-entry"),
]
