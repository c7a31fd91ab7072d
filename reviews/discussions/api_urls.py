"""Addresses of the API of discussions."""

from django.urls import URLPattern, path

from reviews.discussions import api

urlpatterns: list[URLPattern] = [
    path("discussions/<slug:kind>/<slug:ref>/", api.Threads.as_view(), name="discussion"),
    path("threads/<int:thread_id>/replies/", api.ThreadReplies.as_view(), name="thread-replies"),
    path("threads/<int:thread_id>/resolve/", api.ThreadResolving.as_view(), name="thread-resolve"),
    path("threads/<int:thread_id>/reopen/", api.ThreadReopening.as_view(), name="thread-reopen"),
    path("comments/<int:comment_id>/edit/", api.CommentEditing.as_view(), name="comment-edit"),
    path("comments/<int:comment_id>/withdraw/", api.CommentWithdrawing.as_view(), name="comment-withdraw"),
]
