"""An installation with 100,000 requests on record, for questions to the gate. Says what to ask, and with which token.

python -m tests.performance.gate_place
"""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")

VERSIONS, PER_VERSION = 1_000, 100


def main() -> None:
    """Make it, and print a token and the digests."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.utils import timezone

    from governance.audit.actions import record as audit
    from governance.people.actions import people
    from governance.people.domain.scopes import TokenScope
    from governance.rulebook.actions import documents as rulebook
    from governance.rulebook.domain import defaults
    from tests.factories import requests as walks
    from tests.factories.people import make_cast
    from tests.factories.policies import LEAN
    from weighbridge.core import attestation
    from weighbridge.core.secret_files import stored_secret

    call_command("migrate", verbosity=0, interactive=False)
    stored_secret(Path(settings.WEIGHBRIDGE["SIGNING_KEY"]), attestation.new_key_pem)
    now = timezone.now()
    with audit.origin("command"):
        cast = make_cast(now=now)
        for draft in (
            rulebook.draft_checklist(source=defaults.text_of(defaults.CHECKLIST), by=None, now=now),
            rulebook.draft_policy(source=LEAN, by=None, now=now),
        ):
            rulebook.publish(version=draft, by=None, now=now)
        small = {"training_gpu_hours": "10", "training_cost_usd": "300", "inference_cost_1y_usd": "600"}
        first = walks.make_submitted(by=cast.author, now=now, environment="dev", declared=small, with_data=False)
        token = people.create_token(user=cast.auditor, valid_days=1, scope=TokenScope.GATE, by=None, now=now)
    print(json.dumps({"token": token, "digests": _multiply(first, now), "environment": "dev"}))


def _multiply(first: Any, now: datetime) -> list[str]:
    """Copy a cleared request and its entry of the feed until there are 100,000; return the digests."""
    from governance.inventory.models import ModelVersion
    from reviews.feed.models import FeedEntry
    from reviews.feed.queries.entries import published
    from reviews.requests.models import ReviewRequest
    from weighbridge.client.feed import merkle

    own = ModelVersion.objects.filter(pk=first.model_version_id)
    fields = {key: value for key, value in own.values().get().items() if key not in {"id", "digest", "version"}}
    versions = [
        ModelVersion(digest=f"sha256:{number:064x}", version=f"2.0.{number}", **fields) for number in range(VERSIONS)
    ]
    versions = ModelVersion.objects.bulk_create(versions)
    row = ReviewRequest.objects.filter(pk=first.pk).values().get()
    shared = {key: value for key, value in row.items() if key not in {"id", "ref", "purpose", "model_version_id"}}
    requests = ReviewRequest.objects.bulk_create(
        (
            ReviewRequest(
                ref=f"COPY-{number}", purpose=f"P{number}", model_version=versions[number % VERSIONS], **shared
            )
            for number in range(VERSIONS * PER_VERSION)
        ),
        batch_size=2_000,
    )
    last = FeedEntry.objects.get()
    kept = [(bytes(last.nodes),)]
    rows = []
    for index, request in enumerate(requests, start=1):
        until = first.deadline_at + timedelta(seconds=index)
        entry = FeedEntry(position=index + 1, digest=request.model_version.digest, environment="dev", request=request)
        entry.standing, entry.allowed_until, entry.at, entry.reason = "cleared", until, now, "was cleared"
        nodes, root = merkle.appended(
            index, published(entry).leaf, lambda level, place: kept[(place + 1 << level) - 1][0][level * 32 :][:32]
        )
        entry.nodes, entry.root = b"".join(nodes), f"sha256:{root.hex()}"
        kept.append((entry.nodes,))
        rows.append(entry)
    FeedEntry.objects.bulk_create(rows, batch_size=2_000)
    return [version.digest for version in versions]


if __name__ == "__main__":
    main()
