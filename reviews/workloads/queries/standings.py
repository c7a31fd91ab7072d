"""The standings of many artifacts at once, from the feed, as every gate reads it."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from governance.inventory.models import ModelVersion
from reviews.authorizations.domain.standing import Standing
from reviews.feed.models import FeedEntry
from reviews.workloads.domain.approval import ArtifactAnswer


def answers_for(*, digests: Iterable[str], environment: str, now: datetime) -> dict[str, ArtifactAnswer]:
    """The answers for those of the digests that are known, in three queries.

    A part of another artifact that has no standing of its own has the most permissive standing of its wholes: what was
    approved as a part of a pipeline may run as its part.
    """
    wanted = set(digests) - {""}
    own = _standings(wanted, environment, now)
    answers = {digest: ArtifactAnswer(standing) for digest, standing in own.items() if standing is not Standing.UNKNOWN}
    parts = _wholes(wanted - answers.keys())
    wholes = _standings({whole for several in parts.values() for whole in several}, environment, now)
    for part, several in parts.items():
        known = [whole for whole in several if wholes.get(whole, Standing.UNKNOWN) is not Standing.UNKNOWN]
        if known:
            whole = max(known, key=lambda one: (wholes[one].rank, one))
            answers[part] = ArtifactAnswer(wholes[whole], whole)
    return answers


def _standings(digests: Collection[str], environment: str, now: datetime) -> dict[str, Standing]:
    """The standings from the latest entries; a permission that has ended is expired."""
    rows = FeedEntry.objects.filter(digest__in=digests, environment=environment)
    latest = rows.order_by("digest", "-position").distinct("digest")
    found = {}
    for digest, name, allowed_until in latest.values_list("digest", "standing", "allowed_until"):
        is_over = allowed_until is not None and allowed_until <= now
        found[digest] = Standing.EXPIRED if is_over else Standing(name)
    return found


def _wholes(parts: set[str]) -> Mapping[str, set[str]]:
    """The digests of the artifacts that contain each of the parts."""
    rows = ModelVersion.objects.filter(contained__overlap=sorted(parts)) if parts else ModelVersion.objects.none()
    found: dict[str, set[str]] = {}
    for whole, contained in rows.values_list("digest", "contained"):
        for part in parts & set(contained):
            found.setdefault(part, set()).add(whole)
    return found
