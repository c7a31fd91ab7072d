"""Comments, written through the public actions."""

from datetime import datetime

from django.contrib.auth.models import User

from reviews.discussions.actions import comments
from reviews.discussions.domain.comments import topic_of
from reviews.discussions.models import Comment
from reviews.requests.models import ReviewRequest


def make_comment(
    request: ReviewRequest, text: str = "Which traffic is this?", *, by: User, now: datetime, about: str = ""
) -> Comment:
    """The first comment of a thread on a request, or on the part that `about` names."""
    return comments.start(kind="request", subject=request, text=text, topic=topic_of(about), by=by, now=now)
