from copy import deepcopy

from governance.rulebook.domain.metric_catalogs import catalog_document, parse_catalog
from governance.rulebook.domain.policy_diff import PolicyDifference, diff, diff_catalogs
from tests.unit.governance.rulebook.builders import document, p95_rule, policy, rule
from weighbridge.core.metrics.standard import STANDARD


def test_the_same_policy_has_no_changes_however_it_is_spelt():
    old = policy(rule(), p95_rule(limit=100))
    new = policy(p95_rule(limit="100.0"), rule(level="hard"))
    assert old.digest != new.digest
    assert diff(old, new) == ()


def test_a_raised_ceiling_is_looser_and_a_lowered_one_stricter():
    (raised,) = diff(policy(rule(limit=200)), policy(rule(limit=500)))
    assert raised == PolicyDifference(
        "rules[gpu].limit",
        "200 gpu_h",
        "500 gpu_h",
        "rules[gpu].limit changed from 200 gpu_h to 500 gpu_h, which is looser.",
    )
    (lowered,) = diff(policy(rule(limit=500)), policy(rule(limit=200)))
    assert lowered.words.endswith("which is stricter.")


def test_for_floors_it_is_the_other_way_round():
    floor = {"metric": "accuracy", "unit": "ratio", "comparator": "at_least"}
    (raised,) = diff(policy(rule(**floor, limit=0.7)), policy(rule(**floor, limit=0.8)))
    assert raised.words.endswith("which is stricter.")


def test_a_limit_of_another_comparator_is_not_judged():
    changes = diff(policy(rule(limit=1)), policy(rule(limit=2, comparator="at_least")))
    assert [change.words for change in changes] == [
        "rules[gpu].comparator changed from at_most to at_least.",
        "rules[gpu].limit changed from 1 gpu_h to 2 gpu_h.",
    ]


def test_rules_stages_and_benchmarks_come_and_go():
    old = policy(rule(), benchmarks=[])
    new = policy(p95_rule(), stages=document()["stages"][:1])
    assert [(change.path, change.before, change.after) for change in diff(old, new)] == [
        ("rules[gpu]", "training_gpu_hours at most 500 gpu_h, else require_review (hard)", None),
        ("rules[p95]", None, "latency_p95_ms (upper) at most 100 ms, else require_review (hard)"),
        ("stages[budget]", "GPU budget, 1 of role platform_lead", None),
        ("benchmarks[SingleStream]", None, "SingleStream with at least 3000 samples"),
    ]
    gone, new_rule, *_ = diff(old, new)
    assert gone.words.startswith("rules[gpu] was removed. It was: ")
    assert new_rule.words.startswith("rules[p95] is new: ")


def test_alternatives_come_go_and_change():
    some = policy(alternatives={"variants": ["int8-dynamic"], "max_quality_drop": 0.01})
    more = policy(alternatives={"variants": ["int8-dynamic", "fp16"], "max_quality_drop": 0.02, "hardware": "gpu"})
    (came,), (went,) = diff(policy(), some), diff(some, policy())
    assert came.words == "alternatives is new: int8-dynamic, with a quality loss of at most 0.01."
    assert went.words == "alternatives was removed. It was: int8-dynamic, with a quality loss of at most 0.01."
    assert [change.words for change in diff(some, more)] == [
        "alternatives.variants changed from int8-dynamic to int8-dynamic, fp16.",
        "alternatives.max_quality_drop changed from 0.01 to 0.02.",
        "alternatives.hardware changed from cpu to gpu.",
    ]


def test_every_field_that_means_something_is_compared():
    old, new = document(), document()
    new |= {"title": "Other", "description": "Why", "deadline_days": 9, "checklist": "short"}
    new["authorization"] = {"valid_days": 90, "warn_days": 3, "alias_days": 7}
    new["stages"][0]["quorum"] = 3
    new["stages"].reverse()
    new["benchmarks"][0] = {"scenario": "SingleStream", "min_samples": 10, "needs_data": False}
    new["rules"][0] |= {"scope": {"teams": ["b", "a"]}, "message": "Other."}
    from governance.rulebook.domain.policy import parse_policy

    words = [change.words for change in diff(parse_policy(old), parse_policy(new))]
    assert words == [
        "title changed from Default policy to Other.",
        "description changed from nothing to Why.",
        "checklist changed from standard to short.",
        "authorization.valid_days changed from 365 to 90.",
        "authorization.warn_days changed from 30 to 3.",
        "authorization.alias_days changed from 0 to 7.",
        "deadline_days changed from 30 to 9.",
        "rules[gpu].scope.teams changed from nothing to a, b.",
        "rules[gpu].message changed from Too many GPU hours. to Other..",
        "stages[technical].quorum changed from 2 to 3.",
        "The order of the stages changed from technical, budget to budget, technical.",
        "benchmarks[SingleStream].min_samples changed from 3000 to 10.",
        "benchmarks[SingleStream].needs_data changed from true to false.",
    ]


def test_metrics_come_change_and_retire():
    old = catalog_document(STANDARD) | {"title": "First"}
    new = deepcopy(old) | {"title": "Second"}
    wer = next(metric for metric in new["metrics"] if metric["name"] == "wer")
    wer |= {"label": "Errors of words", "retired": True}
    new["metrics"].append(wer | {"name": "wape", "label": "WAPE", "retired": False, "unit": "ratio"})
    assert [change.words for change in diff_catalogs(parse_catalog(old), parse_catalog(new))] == [
        "title changed from First to Second.",
        "metrics[wer].label changed from WER to Errors of words.",
        "metrics[wer].retired changed from no to yes.",
        "metrics[wape] is new: WAPE in ratio, lower is better.",
    ]
