"""Promise 9: nobody talks a decision round. An adversary that holds any one person, or any two of one team, tries
sequences of all documented operations with lying figures; around it, honest people do what is asked of them.

The gate never allows an artifact over the limits without votes of independent people on measured evidence, no
condition falls away, no cast vote is voided, and no money is there beyond what others granted. Each hole of the past is
planted again, and the adversary must find it.
"""

import itertools
from collections import Counter
from datetime import datetime

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from governance.rulebook.models import PolicyVersion
from reviews.requests.models import ReviewRequest
from tests.integration.conftest import checklist, installation, now, policy, signing_key_pem
from tests.promises import harness_report
from tests.promises.adversary.holes import HOLES, Hole
from tests.promises.adversary.machine import Adversary
from tests.promises.adversary.operations import operations
from tests.promises.adversary.scene import BINDING, Scene, build
from tests.promises.adversary.stories import STORIES
from tests.promises.tickets import LONG

__all__ = ["checklist", "installation", "now", "policy", "signing_key_pem"]
pytestmark = [pytest.mark.django_db, pytest.mark.slow]

STEPS = 10
ONE = [(name,) for name in ("author", "mate", "teamlead", "treasurer", "outsider", "reviewer_two", "admin")]
REST = [(name,) for name in ("twin", "approver", "finance", "product", "auditor")]
TWO = list(itertools.combinations(["author", *BINDING], 2))
WHOM = [*ONE, *REST, *TWO] if LONG else [*ONE, ("mate", "twin"), ("author", "treasurer")]
EXAMPLES = 46 if LONG else 4


@pytest.fixture
def scene(policy: PolicyVersion, now: datetime) -> Scene:
    return build(now)


def adversary(scene: Scene, held: tuple[str, ...]) -> type[Adversary]:
    return type("Held", (Adversary,), {"scene": scene, "held": held, "done": Counter[str]()})


def search(scene: Scene, held: tuple[str, ...], *, examples: int, phases: tuple[Phase, ...]) -> None:
    options = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        phases=phases,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(adversary(scene, held), settings=options)


@pytest.mark.parametrize("held", WHOM, ids=" and ".join)
def test_nobody_talks_a_decision_round(scene: Scene, held: tuple[str, ...]) -> None:
    search(scene, held, examples=EXAMPLES, phases=(Phase.generate, Phase.shrink))
    harness_report.tell("adversary", __file__, what=" and ".join(held), steps=EXAMPLES * STEPS, broken=0)


@pytest.mark.parametrize("is_planted", [True, False])
@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.name)
def test_the_shortest_way_leads_through_a_planted_hole_and_nowhere_without_it(
    scene: Scene, hole: Hole, monkeypatch: pytest.MonkeyPatch, is_planted: bool
) -> None:
    if is_planted:
        hole.plant(monkeypatch)
    walk = adversary(scene, hole.held)()
    try:
        STORIES[hole.name](walk)
        broken = list(walk.verdict.broken())
        assert bool(broken) == is_planted, walk.told("; ".join(broken) or "nothing was broken")
    finally:
        walk.teardown()


@pytest.mark.nightly
@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.name)
def test_a_planted_hole_is_found_and_told_as_a_story(scene: Scene, hole: Hole, monkeypatch: pytest.MonkeyPatch) -> None:
    hole.plant(monkeypatch)
    with pytest.raises(AssertionError, match="Then: "):
        search(scene, hole.held, examples=400, phases=(Phase.generate,))
    assert connection.in_atomic_block


def test_what_the_adversary_and_honest_people_do_is_really_done(scene: Scene) -> None:
    walk = adversary(scene, ("author",))()
    try:
        walk.file_with_lies(pick=0, artifact="rejected")
        walk.prepare(who="author", pick=0, artifact="fresh", is_voted=False)
        walk.honest_people_vote(is_all=True)
        walk.nobody_was_talked_round()
        assert walk.done == {"requests": 3, "submit": 3, "review": 1, "votes": 5}, walk.told("it ended")
        assert ReviewRequest.objects.filter(state="decided", decision__outcome="approved").count() == 3
    finally:
        walk.teardown()


def test_the_adversary_knows_every_documented_operation_that_writes() -> None:
    assert len(operations()) >= 55
