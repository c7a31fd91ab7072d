"""The only function that writes to the feed, in the transaction of the act that may have changed a standing."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.audit.locking import lock_trail
from governance.inventory.models import ModelVersion
from reviews.authorizations.domain.standing import ArtifactStanding, Standing
from reviews.authorizations.queries.standing import artifact_records
from reviews.feed.models import FeedEntry
from reviews.feed.queries.entries import from_tree, published, size_and_root
from reviews.feed.queries.latest import latest
from reviews.requests.models import ReviewRequest
from weighbridge.client.feed import merkle
from weighbridge.core.canonical import DIGEST_PREFIX


def publish(*, digest: str, environment: str, by: User | None, now: datetime) -> FeedEntry | None:
    """Append the standing of the artifact, unless it is that of its latest entry; return the new entry.

    Every act that can change a standing calls this last. The head of the audit trail is locked, so of two acts at once
    the later one sees both. The standings of artifacts that contain this one are published, too.
    """
    with transaction.atomic():
        lock_trail()
        row = _publish(digest, environment, by, now)
        wholes = ModelVersion.objects.filter(contained__contains=[digest]).values_list("digest", flat=True)
        for whole in sorted(set(wholes)):
            _publish(whole, environment, by, now)
    return row


def _publish(digest: str, environment: str, by: User | None, now: datetime) -> FeedEntry | None:
    with transaction.atomic():
        found = artifact_records(digest=digest, environment=environment, now=now).standing
        last = latest(digest=digest, environment=environment)
        before = (last[0].standing, last[0].allowed_until) if last else (Standing.UNKNOWN, None)
        if before == (found.standing, found.allowed_until):
            return None
        row = _append(digest, environment, found, now)
        details = {"environment": environment, "standing": row.standing, "position": row.position, "root": row.root}
        audit.record(kind="standing.published", by=by, subject=("artifact", digest), details=details, now=now)
    return row


def _append(digest: str, environment: str, found: ArtifactStanding, now: datetime) -> FeedEntry:
    size, _ = size_and_root()
    row = FeedEntry(
        position=size + 1,
        digest=digest,
        environment=environment,
        standing=found.standing.value,
        allowed_until=found.allowed_until,
        at=now,
    )
    if found.standing.is_allowed:
        giving = found.records[0]
        row.request, row.reason = ReviewRequest.objects.get(ref=giving.request), giving.reason
    leaf = published(row).leaf
    nodes, root = from_tree(lambda read: merkle.appended(size, leaf, read))
    row.nodes, row.root = b"".join(nodes), DIGEST_PREFIX + root.hex()
    row.save(force_insert=True)
    return row
