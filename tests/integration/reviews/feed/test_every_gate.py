"""Five gates, one truth: whatever people do and however time passes, no gate allows later than it promises after a
denial, and none of them contradicts another about one head.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from governance.audit.queries.keys import public_key
from governance.people.actions import people
from governance.people.domain.scopes import TokenScope
from governance.rulebook.models import PolicyVersion
from reviews.authorizations.queries.standing import artifact_records
from reviews.feed.models import FeedEntry
from reviews.feed.queries import entries
from tests.factories.people import Cast
from tests.integration.reviews.feed.gates import Asked, Gates, gates_of
from tests.integration.reviews.feed.walk import ACTS, ENVIRONMENTS, Walk
from weighbridge.client.feed import merkle
from weighbridge.client.feed.verdicts import GateVerdict
from weighbridge.client.server import PlatformServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
HEAD_VALID = timedelta(seconds=3600)
PROMISED = {
    "api": timedelta(0),
    "online": timedelta(0),
    "offline": HEAD_VALID,
    "litellm": HEAD_VALID,
    "admission": HEAD_VALID,
}
"""How long after the act that denies an artifact a gate may still allow it."""
Subject = tuple[str, str]


@dataclass
class Oracle:
    """What the records say, derived anew after every step, and since when an act denies what was allowed."""

    until: dict[Subject, datetime | None] = field(default_factory=dict)
    denied_at: dict[Subject, datetime] = field(default_factory=dict)
    on_head: dict[tuple[tuple[int, str], Subject], tuple[datetime, GateVerdict]] = field(default_factory=dict)
    seen: Counter[tuple[str, GateVerdict]] = field(default_factory=Counter)
    late: Counter[str] = field(default_factory=Counter)

    def derive(self, subject: Subject, now: datetime) -> bool:
        """Whether the artifact is allowed; notes an act that ended a permission before its time."""
        digest, environment = subject
        found = artifact_records(digest=digest, environment=environment, now=now).standing
        until, before = found.allowed_until, self.until.get(subject)
        if until is None and before is not None:
            self.denied_at[subject] = min(now, before)
        if until is not None:
            self.denied_at.pop(subject, None)
        self.until[subject] = until
        return until is not None

    def check(self, gate: str, subject: Subject, asked: Asked, *, is_allowed: bool, now: datetime) -> None:
        """Fail if the answer breaks a promise."""
        verdict, head = asked
        self.seen[gate, verdict] += 1
        if verdict is GateVerdict.UNKNOWN:
            assert PROMISED[gate], "the server always knows"
            return
        if verdict is GateVerdict.ALLOWED and not is_allowed:
            self.late[gate] += 1
            late = now - self.denied_at[subject]
            assert late < PROMISED[gate], f"{gate} allows {subject} {late} after it was denied"
        if not PROMISED[gate]:
            assert (verdict is GateVerdict.ALLOWED) is is_allowed, f"{gate} and the records disagree about {subject}"
        earlier = self.on_head.setdefault((head, subject), (now, verdict))
        is_same = earlier[1] is verdict
        is_over = earlier[1] is GateVerdict.ALLOWED and earlier[0] < now
        assert is_same or is_over, f"{gate} contradicts an answer under head {head} about {subject}"
        self.on_head[head, subject] = (now, verdict)


@pytest.mark.parametrize("steps", [300, pytest.param(10_000, marks=pytest.mark.nightly)])
def test_no_gate_allows_too_late_and_none_contradicts_another(
    steps: int, live_server: LiveServer, policy: PolicyVersion, cast: Cast, now: datetime, tmp_path: Path
) -> None:
    (tmp_path / "key.pem").write_text(public_key())
    walk, oracle, taken = Walk(cast, now, seed=steps), Oracle(), Counter[str]()
    with time_machine.travel(now, tick=False) as clock:
        server = PlatformServer(live_server.url, "")
        with gates_of(server, tmp_path, timezone.now, ENVIRONMENTS) as gates:
            for number in range(steps):
                before = walk.now
                taken[walk.step(number)] += 1
                clock.move_to(walk.now)
                if number == 0 or walk.now.date() != before.date():
                    gates.server = PlatformServer(live_server.url, _token(cast, walk.now))
                _pull_some(gates, walk, number)
                _ask_all(gates, walk, oracle)
    _look_back(oracle, taken, walk)


def _token(cast: Cast, now: datetime) -> str:
    return people.create_token(user=cast.outsider, valid_days=2, scope=TokenScope.GATE, by=None, now=now)


def _pull_some(gates: Gates, walk: Walk, number: int) -> None:
    for name in ("one.json", "two.json"):
        if number == 0 or walk.random.random() < 0.4:
            gates.pull(name)


def _ask_all(gates: Gates, walk: Walk, oracle: Oracle) -> None:
    derived = {subject: oracle.derive(subject, walk.now) for subject in walk.subjects}
    for subject in walk.random.sample(walk.subjects, 2):
        is_allowed = derived[subject]
        api = gates.api(*subject)
        answers = {"api": api, "online": gates.online(*subject, api[1])}
        answers |= {name: getattr(gates, name)(*subject) for name in ("offline", "litellm", "admission")}
        for gate, asked in answers.items():
            oracle.check(gate, subject, asked, is_allowed=is_allowed, now=walk.now)


def _look_back(oracle: Oracle, taken: Counter[str], walk: Walk) -> None:
    """The walk went everywhere, and the whole log is what its last root says."""
    assert len(taken) == len(set(ACTS))
    assert set(oracle.late) == {"offline", "litellm", "admission"}, (
        "a revocation reached every mirror before a question"
    )
    answers = {(gate, verdict) for gate in PROMISED for verdict in GateVerdict}
    missing = answers - set(oracle.seen)
    assert missing == {("api", GateVerdict.UNKNOWN), ("online", GateVerdict.UNKNOWN)}
    assert walk.refused < sum(taken.values()) * 0.7
    standings = set(FeedEntry.objects.values_list("standing", flat=True))
    assert {"cleared", "under_review", "authorized", "conditional", "revoked", "suspended"} <= standings
    rows = [entries.published(row) for row in FeedEntry.objects.all()]
    size, root = entries.size_and_root()
    assert size == len(rows) > 50
    assert "sha256:" + merkle.root_of(row.leaf for row in rows).hex() == root
