"""Promise 3: what comes in from Jira. Forged, replayed, doubled, reordered and lost deliveries end where the issue
stands.

The deliveries are those of the stand-in, signed as Jira signs; the tickets are read over HTTP; nothing waits in real
time.
"""

import copy
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.secrets import encrypt
from reviews.requests.models import ReviewRequest
from reviews.ticket_sync.actions import reconciliation
from reviews.ticket_sync.actions.accounts import link_account
from reviews.tickets.domain.moves import ReconciliationMode
from reviews.tickets.jira.flavors.adf import prose
from reviews.tickets.models import Ticket, TicketComment, TicketMirror, TicketMove, TicketSite, WebhookDelivery
from reviews.tickets.queries.mirror import last_reconciliation
from tests.promises import harness_report
from tests.promises.tickets import LONG, World, world
from tests.standins.jira.about import ACCOUNT, STATUSES
from tests.standins.jira.webhooks import Delivery, Webhooks

pytestmark = pytest.mark.django_db

RUNS = 1_000 if LONG else 25
SECRET, OLD_SECRET = "the secret of the hook", "the secret before"
AUTHOR, STRANGER = "712020:the-author", "712020:a-stranger"
SAID = {
    "type": "doc",
    "version": 1,
    "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Hello."}]}],
}
STATUS_IDS = {name: number for number, (name, _) in STATUSES.items()}


class Post:
    """What Jira does with a delivery, to this installation."""

    def __init__(self) -> None:
        self.client = Client()

    def __call__(self, delivery: Delivery, **changed: str) -> int:
        headers = delivery.headers() | {name.replace("_", "-"): value for name, value in changed.items()}
        where, kind = f"/hooks/jira/{TicketSite.objects.get().pk}/", headers.pop("Content-Type")
        answer = self.client.post(where, data=delivery.body, content_type=kind, headers=headers)
        return int(answer.status_code)


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> Iterator[World]:
    """One request with its ticket, the author known by account, and the hook's secrets set."""
    with world(monkeypatch, settings, tmp_path, limits_writes=False) as made:
        secrets = {"webhook_secret": encrypt(SECRET), "webhook_secret_before": encrypt(OLD_SECRET)}
        TicketSite.objects.filter(pk=made.site.pk).update(**secrets)
        made.submit()
        quiet(made)
        link_account(site=made.site, user=made.author, account_id=AUTHOR, by=None, now=made.clock())
        yield made


def quiet(there: World) -> None:
    """Let one worker run until nothing is due."""
    for _ in range(200):
        there.clock.move(seconds=1)
        if not there.deliver_due():
            return
    raise AssertionError("not quiet")


def compare(there: World, *, mode: ReconciliationMode, occasion: str) -> None:
    reconciliation.request_reconciliation(site=there.site, mode=mode, occasion=occasion, now=there.clock())


def hooks(there: World, **shares: Any) -> Webhooks:
    return Webhooks(there.jira.issues, SECRET, **shares)


def move(there: World, status: str, author: str) -> None:
    number = STATUS_IDS[status]
    (issue,) = there.jira.issues.issues
    ways = {way["to"]["id"]: way["id"] for way in there.jira.issues.transitions(issue["id"])[1]["transitions"]}
    if number in ways:
        there.jira.issues.transition(issue["id"], {"transition": {"id": ways[number]}}, author=author)


def say(there: World, text: str, author: str) -> None:
    body = copy.deepcopy(SAID)
    body["content"][0]["content"][0]["text"] = text
    assert there.jira.issues.add_comment("MR-1", {"body": body}, author=author)[0] == 201


def stored() -> tuple[int, int]:
    return WebhookDelivery.objects.count(), OutboxMessage.objects.filter(kind="ticket.read").count()


def differences(there: World) -> list[str]:
    """Where the mirror is not the issue; [] is the promise."""
    (issue,) = there.jira.issues.issues
    ticket = Ticket.objects.get()
    theirs = [each for each in issue["comments"] if each["author"]["accountId"] != ACCOUNT]
    kept = TicketComment.objects.filter(is_ours=False).order_by("remote_id")
    moved = [entry["id"] for entry in issue["history"]]
    pairs = {
        "status": (ticket.status, STATUSES[issue["status"]][0]),
        "comments": (
            [(row.remote_id, row.text, row.author_id) for row in kept],
            [(each["id"], prose(each["body"]), each["author"]["accountId"]) for each in theirs],
        ),
        "moves": (list(TicketMove.objects.order_by("pk").values_list("remote_id", flat=True)), moved),
    }
    return [f"{name}: {here} here, {away} there" for name, (here, away) in pairs.items() if here != away]


STEP = st.one_of(
    st.tuples(st.just("move"), st.sampled_from(sorted(STATUS_IDS)), st.sampled_from([AUTHOR, STRANGER])),
    st.tuples(st.just("say"), st.sampled_from(["Looks good.", "Why?"]), st.sampled_from([AUTHOR, STRANGER])),
    st.tuples(st.just("edit"), st.just("Changed."), st.just(STRANGER)),
    st.tuples(st.just("delete"), st.just(""), st.just(STRANGER)),
    st.tuples(st.just("tell"), st.just("determination"), st.just(ACCOUNT)),
    st.tuples(st.just("arrive"), st.just(""), st.just("")),
    st.tuples(st.just("work"), st.just(""), st.just("")),
    st.tuples(st.just("forge"), st.just(""), st.just("")),
)


SEEN = Counter[str]()


@pytest.fixture(scope="module", autouse=True)
def _told() -> Iterator[None]:
    yield
    harness_report.tell("inbound", __file__, **{**dict.fromkeys(("forged_accepted", "differences"), 0), **SEEN})


def act(there: World, sender: Webhooks, post: Post, step: tuple[str, str, str]) -> None:
    kind, what, who = step
    (issue,) = there.jira.issues.issues
    there.clock.move(seconds=1)
    theirs = [each["id"] for each in issue["comments"] if each["author"]["accountId"] != ACCOUNT]
    if kind == "move":
        move(there, what, who)
    elif kind == "say":
        say(there, what, who)
    elif kind in {"edit", "delete"} and theirs:
        body = {**SAID, "content": [{"type": "paragraph", "content": [{"type": "text", "text": what}]}]}
        there.jira.issues.change_comment("MR-1", theirs[0], body if kind == "edit" else None)
    elif kind == "tell":
        there.tell(ReviewRequest.objects.get(), what, "The policy was evaluated again.")
    elif kind == "arrive":
        sender.flush(post)
    elif kind == "work":
        there.deliver_due()
    elif kind == "forge":
        before = stored()
        forged = Webhooks(there.jira.issues, "a guess").signed({"issue": {"id": issue["id"]}})
        there.jira.issues.on_change = sender._happened  # the forger took the listener's place
        answer = post(forged)
        SEEN.update(forged=1, forged_accepted=int(answer != 401))
        assert (answer, stored()) == (401, before)


@hypothesis_settings(
    max_examples=RUNS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=st.lists(STEP, min_size=1, max_size=14), seed=st.integers(0, 2**32))
def test_a_third_of_the_deliveries_is_lost_and_all_ends_where_the_issue_stands(
    there: World, steps: list[tuple[str, str, str]], seed: int
) -> None:
    kept, moment = copy.deepcopy(there.jira.issues.issues), there.clock.moment
    with transaction.atomic():
        sender, post = hooks(there, drop=0.3, duplicate=0.3, reorder=0.5, rng=random.Random(seed)), Post()
        for step in steps:
            act(there, sender, post, step)
        sender.flush(post)
        quiet(there)
        assert set(sender.answers) <= {200, 202}
        SEEN.update(histories=1, steps=len(steps), deliveries=len(sender.answers))
        reconciliation.request_reconciliation(
            site=there.site, mode=ReconciliationMode.PULL, occasion="heal", now=there.clock()
        )
        quiet(there)
        SEEN.update(differences=bool(differences(there)))
        assert differences(there) == []
        check_consequences(there)
        transaction.set_rollback(True)
    there.jira.issues.issues[:], there.clock.moment = kept, moment


def check_consequences(there: World) -> None:
    """Nothing was decided; withdrawn if its author said so and did not move on at once; each refusal was said once."""
    request = ReviewRequest.objects.get()
    asked = TicketMove.objects.filter(status="Won't Do", author_id=AUTHOR)
    assert request.state == ("withdrawn" if asked.filter(outcome="done").exists() else "evidence")
    last = TicketMove.objects.order_by("pk").last()
    assert last not in asked or request.state == "withdrawn", "the ticket stands there"
    assert not hasattr(request, "decision")
    said = "\n".join(there.comments(request))
    refused = TicketMove.objects.filter(outcome="refused")
    assert said.count("decides nothing") + said.count("was not withdrawn") == refused.count()
    assert said.count(f"/requests/{request.ref}/") >= refused.count()


def test_without_any_delivery_one_comparison_heals_and_counts(there: World) -> None:
    say(there, "Nobody was told of this.", STRANGER)
    move(there, "In Review", STRANGER)
    assert differences(there) != []
    for mode, counts in (
        (ReconciliationMode.REPORT, (1, 1, 0)),
        (ReconciliationMode.PULL, (1, 1, 0)),
        (ReconciliationMode.REPORT, (1, 0, 0)),
    ):
        reconciliation.request_reconciliation(
            site=there.site, mode=mode, occasion=mode + str(there.clock()), now=there.clock()
        )
        quiet(there)
        found = last_reconciliation(there.site)
        assert found is not None
        assert (found.mode, tuple(count for _, count in found.counts)[:3]) == (mode, counts)
    assert differences(there) == []


def test_what_is_forged_or_stale_is_refused_and_leaves_nothing(there: World) -> None:
    sender, post = hooks(there), Post()
    say(there, "Hello.", STRANGER)
    (real,) = sender.waiting
    bad = {
        "no signature": {"X_Hub_Signature": ""},
        "truncated": {"X_Hub_Signature": real.signature[:-2]},
        "another algorithm": {"X_Hub_Signature": real.signature.replace("sha256", "sha1")},
        "no algorithm": {"X_Hub_Signature": real.signature.removeprefix("sha256=")},
        "another secret": {"X_Hub_Signature": Webhooks(there.jira.issues, "guess").signed({}).signature},
    }
    before = stored()
    assert {why: post(real, **changed) for why, changed in bad.items()} == dict.fromkeys(bad, 401)
    changed = Delivery(real.identifier, real.body.replace(b"10001", b"10002"), real.signature)
    assert post(changed) == 401
    there.clock.move(days=2)
    assert post(real) == 401
    assert stored() == before == (0, 0)


def test_a_delivery_is_stored_once_and_both_secrets_are_good(there: World) -> None:
    post = Post()
    (issue,) = there.jira.issues.issues
    document = {"webhookEvent": "jira:issue_updated", "issue": {"id": issue["id"]}}
    rotated = Webhooks(there.jira.issues, OLD_SECRET).signed(document)
    another = document | {"changelog": {"id": "2"}}
    fresh = Webhooks(there.jira.issues, SECRET, rng=random.Random(1)).signed(another)
    assert [post(each) for each in (rotated, rotated, fresh, rotated, fresh)] == [202, 200, 202, 200, 200]
    assert stored() == (2, 2)
    quiet(there)
    assert OutboxMessage.objects.filter(kind="ticket.read", state=JobState.DONE).count() == 2
    assert len(there.jira.requests(f"GET /rest/api/3/issue/{issue['id']}/changelog")) == 1, "read once for both"


def test_our_own_comments_and_moves_are_no_news(there: World) -> None:
    request, sender, post = ReviewRequest.objects.get(), hooks(there), Post()
    there.tell(request, "in_review", "The review begins.")
    quiet(there)
    assert set(sender.flush(post)) == {202}
    quiet(there)
    assert TicketComment.objects.filter(is_ours=True).count() == len(there.comments(request)) > 0
    assert TicketComment.objects.filter(is_ours=False).count() == 0
    assert set(TicketMove.objects.values_list("author_id", "meaning", "outcome")) == {(ACCOUNT, "none", "noted")}
    assert sender.flush(post) == [], "an echo makes no echo"


def test_approving_in_jira_is_refused_once_with_a_link(there: World) -> None:
    request, sender, post = ReviewRequest.objects.get(), hooks(there, duplicate=1.0), Post()
    move(there, "Done", AUTHOR)
    for _ in range(3):
        sender.flush(post)
        quiet(there)
    request.refresh_from_db()
    refusals = [text for text in there.comments(request) if "decides nothing" in text]
    assert (request.state, len(refusals)) == ("evidence", 1)
    assert f"/requests/{request.ref}/" in refusals[0]


def test_a_deleted_issue_is_told_and_never_opened_again(there: World) -> None:
    sender, post = hooks(there), Post()
    there.jira.issues.delete("MR-1")
    assert sender.flush(post) == [202]
    quiet(there)
    assert TicketMirror.objects.get().gone_at is not None
    reconciliation.request_reconciliation(
        site=there.site, mode=ReconciliationMode.PULL, occasion="after", now=there.clock()
    )
    quiet(there)
    assert (len(there.jira.requests("POST /rest/api/3/issue ")), len(there.jira.issues.issues)) == (1, 1)
