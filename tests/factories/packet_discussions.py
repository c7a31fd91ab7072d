"""The discussion of the sample packet."""

from datetime import UTC, datetime, timedelta

from reviews.packets.domain.packet_discussion import DiscussionPart, PacketComment, PacketThread

DECIDED_AT = datetime(2026, 7, 9, 15, 42, tzinfo=UTC)


def sample_discussion() -> DiscussionPart:
    """A thread on a metric with an answer and a withdrawn comment, a resolved thread, and a comment of the ticket."""
    at = DECIDED_AT - timedelta(days=1)
    return DiscussionPart(
        open_count=1,
        threads=(
            PacketThread(
                source="weighbridge",
                title="Latency p95",
                comments=(
                    PacketComment(author="Anne Arbor", text="Which traffic is this?", written_at=at, revision=1),
                    PacketComment(
                        author="Rita Requester",
                        text="The peak of\nNovember.",
                        written_at=at,
                        revision=2,
                        edited_at=at + timedelta(minutes=2),
                    ),
                    PacketComment(author="Bert Brook", text="", written_at=at, revision=2, withdrawn_at=DECIDED_AT),
                ),
            ),
            PacketThread(
                source="weighbridge",
                comments=(PacketComment(author="Bert Brook", text="Who pays?", written_at=at, revision=2),),
                is_resolved=True,
                resolved_by="Lea Lead",
                resolved_at=DECIDED_AT,
            ),
            PacketThread(
                source="ticket", comments=(PacketComment(author="Ada L", text="Done in RISK-117.", written_at=at),)
            ),
        ),
    )
