"""What decides whether a comment may be changed, read from its rows."""

from reviews.discussions.domain.comments import Written
from reviews.discussions.models import Comment


def written(comment: Comment) -> Written:
    """The state of a comment now. Read it under the lock of its thread."""
    later = Comment.objects.filter(thread_id=comment.thread_id, pk__gt=comment.pk)
    row = Comment.objects.select_related("withdrawal").get(pk=comment.pk)
    return Written(
        author_id=row.author_id,
        written_at=row.written_at,
        is_answered=later.exclude(author_id=row.author_id).exists(),
        is_withdrawn=hasattr(row, "withdrawal"),
    )
