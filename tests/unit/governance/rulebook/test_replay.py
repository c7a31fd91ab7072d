"""Back-tests: a replay says what the judge says, and a comparison counts what differs."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from governance.rulebook.domain.evaluation.metric_index import index_values
from governance.rulebook.domain.evaluation.policies import PolicyOutcome, evaluate
from governance.rulebook.domain.evaluation.replay import (
    ReplayCase,
    ReplayedRequest,
    ReplayShare,
    ReplayVerdict,
    compare,
    rule_counts,
    share_of,
    shares,
)
from governance.rulebook.domain.policy import Policy, RuleEffect
from governance.rulebook.domain.scopes import EvaluationSubject
from tests.unit.governance.rulebook.builders import NOW, metric_value, p95_rule, policy, rule
from tests.unit.governance.rulebook.test_evaluation import NAMES, rules, sound_metric_values
from weighbridge.core.metrics.standard import STANDARD

SUBJECT = EvaluationSubject(team="search", tier="T1", environment="prod")
NEW, OLD = policy(rule(limit=100)), policy(rule(limit=500))
ADVISED = policy(rule(limit=100, effect="advise", on_indeterminate="advise"))


def case(ref: str = "MRR-1", hours: str = "120", usd: str = "10", **more: object) -> ReplayCase:
    index = index_values([metric_value(value=hours)], catalog=STANDARD)
    request = ReplayedRequest(ref=ref, subject=SUBJECT, usd=Decimal(usd), gpu_h=Decimal(hours))
    return ReplayCase(request=request, index=index, at=NOW, **more)  # type: ignore[arg-type]


def replay(judged: Policy, one: ReplayCase) -> ReplayVerdict:
    (compared,) = compare([one], before=[judged], after=[judged])
    return compared.after


def drawn_rules(data: st.DataObject) -> list[dict[str, Any]]:
    """Rules, of which some have a second limit."""
    found = data.draw(st.lists(rules(), min_size=1, max_size=4, unique_by=lambda each: each["id"]))
    fields = ("metric", "unit", "comparator", "limit", "statistic", "accept", "min_n")
    for one in found:
        key = data.draw(st.sampled_from(["", "all_of", "any_of"]))
        if key:
            other = data.draw(rules())
            one[key] = [{name: each[name] for name in fields} for each in ({**one}, other)]
            for name in fields:
                del one[name]
    return found


@given(st.data())
def test_a_replay_says_what_the_judge_says(data):
    shared = drawn_rules(data)
    before = policy(*shared)
    after = policy(*[each for each in shared if data.draw(st.booleans())], *drawn_rules(data))
    metric_values = data.draw(st.lists(st.sampled_from(NAMES).flatmap(sound_metric_values), max_size=6))
    metric_values += data.draw(
        st.sampled_from([[], [metric_value("accuracy", "2")], [metric_value("accuracy", "0", unit="x")]])
    )
    both = {rule.id: rule for rule in (*before.rules, *after.rules)}
    waived = frozenset(each for each in both if data.draw(st.booleans()))
    subject = EvaluationSubject(
        team=data.draw(st.sampled_from(["", "search"])),
        tier="T1",
        environment=data.draw(st.sampled_from(["prod", "dev"])),
    )
    index = index_values(metric_values, catalog=STANDARD)
    one = ReplayCase(request=ReplayedRequest(ref="r", subject=subject), index=index, at=NOW, waived=waived)
    (compared,) = compare([one], before=[before], after=[after])
    for judged, verdict in ((before, compared.before), (after, compared.after)):
        said = evaluate(judged, subject=subject, metric_values=metric_values, now=NOW, waived=waived, catalog=STANDARD)
        assert verdict.outcome == said.outcome
        assert verdict.effects == {each.rule_id: each.effect for each in said.results if each.effect}


def test_without_a_policy_a_request_is_denied():
    (found,) = compare([case()], before=[], after=[OLD])
    assert (found.before, found.is_looser) == (ReplayVerdict(PolicyOutcome.DENIED, {}), True)
    (found,) = compare([case()], before=[OLD], after=[])
    assert (found.after, found.is_stricter) == (ReplayVerdict(PolicyOutcome.DENIED, {}), True)


def test_two_versions_are_set_beside_each_other():
    cases = [case(), case("MRR-2", "600", "20"), case("MRR-3", "50", "40")]
    first, second, third = compare(cases, before=[OLD], after=[NEW])
    assert (first.before.outcome, first.after.outcome) == (PolicyOutcome.CLEARED, PolicyOutcome.REVIEW_REQUIRED)
    assert (first.is_stricter, first.is_looser, first.added_rules, first.removed_rules) == (True, False, ("gpu",), ())
    assert (second.is_stricter, second.is_looser, second.added_rules) == (False, False, ())
    assert third.after.outcome is PolicyOutcome.CLEARED
    back = compare(cases, before=[NEW], after=[OLD])[0]
    assert (back.is_stricter, back.is_looser, back.added_rules, back.removed_rules) == (False, True, (), ("gpu",))
    milder = compare(cases, before=[NEW], after=[ADVISED])[0]
    assert (milder.is_looser, milder.added_rules, milder.after.effects) == (True, (), {"gpu": RuleEffect.ADVISE})


def test_a_version_beside_itself_differs_in_nothing():
    (same,) = compare([case()], before=[NEW], after=[NEW])
    assert same.before is same.after


def test_what_was_not_known_then_is_indeterminate_as_it_was_then():
    said = replay(policy(p95_rule()), case())
    assert said == ReplayVerdict(PolicyOutcome.REVIEW_REQUIRED, {"p95": RuleEffect.REQUIRE_REVIEW})


def test_shares_add_up_and_rules_are_counted():
    cases = [case(), case("MRR-2", "600", "20"), case("MRR-3", "50", "40")]
    verdicts = [(each.request, replay(NEW, each)) for each in cases]
    found = shares(verdicts)
    assert found[PolicyOutcome.REVIEW_REQUIRED] == ReplayShare(2, Decimal(30), Decimal(720))
    assert found[PolicyOutcome.CLEARED] == ReplayShare(1, Decimal(40), Decimal(50))
    assert found[PolicyOutcome.DENIED] == share_of([]) == ReplayShare(0, Decimal(0), Decimal(0))
    assert rule_counts(said for _, said in verdicts) == {"gpu": 2}
    assert list(
        rule_counts(
            [
                ReplayVerdict(PolicyOutcome.DENIED, {"b": RuleEffect.DENY}),
                ReplayVerdict(PolicyOutcome.DENIED, {"a": RuleEffect.DENY}),
            ]
        )
    ) == [
        "a",
        "b",
    ]
