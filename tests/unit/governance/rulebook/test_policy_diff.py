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
        "200 GPU h",
        "500 GPU h",
        "The rule “Training GPU hours at most 200 GPU h”: limit changed from 200 GPU h to 500 GPU h, which is looser.",
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
        "The rule “Training GPU hours at most 1 GPU h”: comparator changed from at most to at least.",
        "The rule “Training GPU hours at most 1 GPU h”: limit changed from 1 GPU h to 2 GPU h.",
    ]


def test_rules_stages_and_benchmarks_come_and_go():
    old = policy(rule(), benchmarks=[])
    new = policy(p95_rule(), stages=document()["stages"][:1])
    assert [(change.path, change.before, change.after) for change in diff(old, new)] == [
        ("rules[gpu]", "Training GPU hours at most 500 GPU h, else require review (hard)", None),
        ("rules[p95]", None, "Latency p95 (upper) at most 100 ms, else require review (hard)"),
        ("stages[budget]", "GPU budget, 1 of role platform lead", None),
        ("benchmarks[SingleStream]", None, "SingleStream with at least 3000 samples"),
    ]
    gone, new_rule, *_ = diff(old, new)
    assert gone.words.startswith("The rule “Training GPU hours at most 500 GPU h” was removed. It was: ")
    assert new_rule.words.startswith("The rule “Latency p95 (upper) at most 100 ms” is new: ")


def test_alternatives_come_go_and_change():
    some = policy(alternatives={"variants": ["int8-dynamic"], "max_quality_drop": 0.01})
    more = policy(alternatives={"variants": ["int8-dynamic", "fp16"], "max_quality_drop": 0.02, "hardware": "gpu"})
    (came,), (went,) = diff(policy(), some), diff(some, policy())
    assert came.words == "The search for cheaper variants is new: int8-dynamic, with a quality loss of at most 0.01."
    assert (
        went.words
        == "The search for cheaper variants was removed. It was: int8-dynamic, with a quality loss of at most 0.01."
    )
    assert [change.words for change in diff(some, more)] == [
        "The search for cheaper variants: variants changed from int8-dynamic to int8-dynamic, fp16.",
        "The search for cheaper variants: max quality drop changed from 0.01 to 0.02.",
        "The search for cheaper variants: hardware changed from cpu to gpu.",
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
        "Title changed from Default policy to Other.",
        "Description changed from nothing to Why.",
        "Checklist changed from standard to short.",
        "Days of an authorization changed from 365 to 90.",
        "Days of warning before an authorization ends changed from 30 to 3.",
        "Days of an authorization of an alias changed from 0 to 7.",
        "Days until a request must be decided changed from 30 to 9.",
        "The rule “Training GPU hours at most 500 GPU h”: teams in scope changed from nothing to a, b.",
        "The rule “Training GPU hours at most 500 GPU h”: message changed from Too many GPU hours. to Other.",
        "The stage “Technical review”: quorum changed from 2 to 3.",
        "The order of the stages changed from Technical review, GPU budget to GPU budget, Technical review.",
        "The benchmark SingleStream: fewest samples changed from 3000 to 10.",
        "The benchmark SingleStream: needs data changed from yes to no.",
    ]


def test_metrics_come_change_and_retire():
    old = catalog_document(STANDARD) | {"title": "First"}
    new = deepcopy(old) | {"title": "Second"}
    wer = next(metric for metric in new["metrics"] if metric["name"] == "wer")
    wer |= {"label": "Errors of words", "retired": True}
    new["metrics"].append(wer | {"name": "wape", "label": "WAPE", "retired": False, "unit": "ratio"})
    assert [change.words for change in diff_catalogs(parse_catalog(old), parse_catalog(new))] == [
        "Title changed from First to Second.",
        "The metric “WER”: label changed from WER to Errors of words.",
        "The metric “WER”: retired changed from no to yes.",
        "The metric “WAPE” is new: WAPE in ratio, lower is better.",
    ]
