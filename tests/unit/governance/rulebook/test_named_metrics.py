"""The metrics that policies and checklists name are those of the catalog."""

from dataclasses import replace

import pytest

from governance.rulebook.domain.checklists import parse_checklist
from governance.rulebook.domain.named_metrics import check_checklist_metrics, check_policy_metrics
from tests.unit.governance.rulebook.builders import policy, rule
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.catalog import MetricCatalog
from weighbridge.core.metrics.standard import STANDARD

LIMIT = {"metric": "training_gpu_hours", "comparator": "above", "limit": 100, "unit": "gpu_h", "accept": ["declared"]}
CATALOG = MetricCatalog(
    tuple(
        replace(kind, is_retired=kind.name == "wer", bases=(Basis.MEASURED,) if kind.name == "mae" else kind.bases)
        for kind in STANDARD.values()
    )
)


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"metric": "speed"}, "rules[0].metric", "not a metric of the catalog"),
        ({"metric": "latency_p42_ms"}, "rules[0].metric", "did you mean latency_p50_ms"),
        ({"unit": "h"}, "rules[0].unit", "must be gpu_h, the unit of training_gpu_hours"),
        ({"metric": "wer", "unit": "ratio"}, "rules[0].metric", "is retired"),
    ],
)
def test_a_rule_about_no_metric_of_the_catalog_is_refused_with_its_path(fields, field, words):
    with pytest.raises(Invalid, match=words) as refusal:
        check_policy_metrics(policy(rule(**fields)), catalog=CATALOG)
    assert refusal.value.field == field


def test_a_rule_that_no_value_can_fulfill_is_refused():
    only_billed = policy(rule(metric="mae", unit="1", accept=["billed"]))
    with pytest.raises(Invalid, match="these are measured") as refusal:
        check_policy_metrics(only_billed, catalog=CATALOG)
    assert refusal.value.field == "rules[0].accept"
    check_policy_metrics(policy(rule(metric="mae", unit="1", accept=["declared"])), catalog=CATALOG)


def limit(**fields):
    return {**LIMIT, **fields}


def test_a_value_is_compared_with_a_budget_of_its_unit_alone():
    versus = {"reference": "budget", "measure": "difference"}
    check_policy_metrics(policy(rule(versus=versus)), catalog=CATALOG)
    slow = rule(metric="latency_p95_ms", unit="ms", versus=versus)
    with pytest.raises(Invalid, match="a budget is in USD or gpu_h, and latency_p95_ms is not") as refusal:
        check_policy_metrics(policy(slow), catalog=CATALOG)
    assert refusal.value.field == "rules[0].versus"


def checklist(**fields):
    item = {"id": "q", "kind": "metric", "title": "Quality", "metrics": ["accuracy"], "accept": ["measured"], **fields}
    document = {"apiVersion": "weighbridge/v1", "kind": "ReviewChecklist", "name": "x", "title": "X", "items": [item]}
    return parse_checklist(document)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"metrics": ["accuracy", "speed"]}, "items[0].metrics"),
        ({"metrics": ["wer"]}, "items[0].metrics"),
        ({"metrics": ["mae"], "accept": ["billed"]}, "items[0].accept"),
        ({"shown_when": {"limit": limit(metric="speed")}}, "items[0].shown_when.limit.metric"),
        ({"shown_when": {"limit": limit(unit="h")}}, "items[0].shown_when.limit.unit"),
    ],
)
def test_an_item_about_no_metric_of_the_catalog_is_refused_with_its_path(fields, field):
    with pytest.raises(Invalid) as refusal:
        check_checklist_metrics(checklist(**fields), catalog=CATALOG)
    assert refusal.value.field == field


def test_metrics_with_a_number_are_named_by_rules_and_items():
    check_policy_metrics(policy(rule(metric="ndcg@10", unit="ratio")), catalog=CATALOG)
    check_checklist_metrics(checklist(metrics=["ndcg@10", "recall@5"]), catalog=CATALOG)
