"""Addresses of the pages of discussions."""

from django.urls import URLPattern, path

from reviews.discussions import web

urlpatterns: list[URLPattern] = [
    path("discussions/<slug:kind>/<str:ref>/", web.discussion, name="discussion"),
    path("discussions/<slug:kind>/<str:ref>/threads/", web.start, name="thread_start"),
    path("discussions/<slug:kind>/<str:ref>/people/", web.people, name="discussion_people"),
    path("threads/<int:thread_id>/", web.thread, name="thread"),
    path("threads/<int:thread_id>/replies/", web.reply, name="thread_reply"),
    path("threads/<int:thread_id>/resolve/", web.turn, {"wanted": True}, name="thread_resolve"),
    path("threads/<int:thread_id>/reopen/", web.turn, {"wanted": False}, name="thread_reopen"),
    path("comments/<int:comment_id>/", web.comment, name="comment"),
    path("comments/<int:comment_id>/edit/", web.edit, name="comment_edit"),
    path("comments/<int:comment_id>/withdraw/", web.withdraw, name="comment_withdraw"),
]
