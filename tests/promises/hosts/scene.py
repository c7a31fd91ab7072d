"""What is in the database before the trial: people, models, a policy for two classes of hardware, and open votes."""

from dataclasses import dataclass
from datetime import datetime

import yaml
from django.conf import settings
from django.core.management import call_command

from config.celery import app
from governance.people.actions import people
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain import defaults
from tests.factories import requests as walks
from tests.factories.models import make_version
from tests.factories.people import make_cast
from tests.factories.policies import LEAN
from tests.factories.tickets import make_routed_site
from weighbridge.core import attestation
from weighbridge.core.secret_files import stored_secret

SMALL = walks.DECLARED | {
    "training_gpu_hours": "40",
    "training_cost_usd": "1200",
    "inference_cost_1y_usd": "1800",
    "total_cost_1y_usd": "3000",
}


@dataclass(frozen=True)
class Scene:
    """Tokens of people, the digest of the model, and requests that lack one vote."""

    tokens: dict[str, str]
    version: str
    to_vote: list[str]


def on_both_classes(source: str) -> str:
    """The policy, with its benchmark also on a machine with an accelerator."""
    document = yaml.safe_load(source)
    document["benchmarks"] = [
        {"scenario": "SingleStream", "min_samples": 700, "needs_data": True, "hardware": "cpu"},
        {"scenario": "Offline", "min_samples": 700, "needs_data": False, "hardware": "gpu"},
    ]
    return yaml.safe_dump(document, sort_keys=False)


def make_scene(*, now: datetime, jira: str, decisions: int) -> Scene:
    """Fill a new database."""
    app.send_task = lambda *arguments, **options: None  # this process wakes nobody
    call_command("migrate", interactive=False, verbosity=0)
    stored_secret(settings.WEIGHBRIDGE["SIGNING_KEY"], attestation.new_key_pem)
    cast = make_cast(now=now)
    make_routed_site(now=now, url=jira, token="stand-in-token", settle_s=1)
    _publish(rulebook.draft_checklist, defaults.text_of(defaults.CHECKLIST), now)
    _publish(rulebook.draft_policy, on_both_classes(LEAN), now)
    version = make_version(by=cast.author, now=now)
    to_vote = []
    for number in range(decisions):
        one = make_version(by=cast.author, now=now, slug=f"model-{number}", seed=number + 1)
        asked = {"version": one, "purpose": f"Decision {number}", "declared": SMALL}
        request = walks.make_in_review(cast=cast, now=now, **asked)
        walks.approve_technically(request=request, cast=cast, now=now)
        to_vote.append(request.ref)
    tokens = {
        name: people.create_token(user=getattr(cast, name), valid_days=1, by=None, now=now)
        for name in ("author", "approver")
    }
    return Scene(tokens, version.digest, to_vote)


def _publish(draft, source: str, now: datetime) -> None:
    version = draft(source=source, by=None, now=now)
    rulebook.publish(version=version, by=None, now=now)
