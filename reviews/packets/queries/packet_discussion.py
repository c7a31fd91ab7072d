"""Read the discussion of a packet."""

from reviews.discussions.queries.threads import ThreadView, entries, load, thread_states
from reviews.packets.domain.packet_discussion import DiscussionPart, PacketComment, PacketThread
from reviews.requests.domain.copies import copy_of
from reviews.snapshots.queries.snapshot import RequestSnapshot


def discussion_part(snapshot: RequestSnapshot) -> DiscussionPart | None:
    """The discussion with the comments of the ticket, as everybody who may see the request reads it; None if empty."""
    request = snapshot.request
    found, states = entries(kind="request", subject=request), thread_states(kind="request", subject=request)
    if not found:
        return None
    views = load(kind="request", subject=request, found=found, reader=None, now=snapshot.now)
    return DiscussionPart(threads=tuple(map(_thread, views)), open_count=sum(state.is_open for state in states))


def _thread(view: ThreadView) -> PacketThread:
    return copy_of(view, PacketThread, comments=tuple(copy_of(each, PacketComment) for each in view.comments))
