"""A back-test says of each request what the evaluation of that request alone says, whatever was stated of it."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
import yaml
from django.db import connection

from governance.budgets.enums import BudgetUnit
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain.evaluation.policies import Evaluation, PolicyOutcome, evaluate
from governance.rulebook.domain.metric_limits import Reference
from governance.rulebook.domain.policy import Policy
from governance.rulebook.domain.scopes import EvaluationSubject, applying
from governance.rulebook.models import PolicyVersion
from governance.rulebook.queries.catalogs import catalog_in_force
from governance.rulebook.queries.rulebook import policies_in_force, policies_with, policy_in
from reviews.evidence.domain.claims import bound_values, counted_values
from reviews.evidence.models import MetricRecord, PolicyEvaluation
from reviews.evidence.queries.backtests import backtest
from reviews.evidence.queries.evidence import amounts_of, metric_value_of
from reviews.requests.models import ReviewRequest
from tests.factories.policies import FULL
from tests.masses import multiply, search_entered_at_the_end
from weighbridge.core.metrics.standard import STANDARD

REQUESTS = 60
NAMES = (
    "training_gpu_hours",
    "training_cost_usd",
    "inference_cost_1y_usd",
    "total_cost_1y_usd",
    "latency_p95_ms",
    "accuracy",
    "business_kpi_delta",
    "alternatives_measured",
)
BASES = ("declared", "estimated", "derived", "measured", "billed")
OF_ONE_TEAM = {"name": "vision", "precedence": 5, "applies_to": {"teams": ["vision"]}}
PROD = {"scope": {"environments": ["prod"]}}
RANKING = {"scope": {"tasks": ["ranking"], "environments": ["dev"]}}
RULE = {"effect": "require_review", "message": "Too much.", "accept": ["declared"]}
MORE_RULES: tuple[dict[str, Any], ...] = (
    {"id": "dearer", "metric": "total_cost_1y_usd", "unit": "USD", "comparator": "at_most", "limit": 10, **RULE}
    | {
        "versus": {"reference": "production", "measure": "percent"},
        "level": "soft",
        **PROD,
    },
    {"id": "p80", "metric": "total_cost_1y_usd", "unit": "USD", "comparator": "below", "limit": 40_000, **RULE}
    | {
        "statistic": "p80",
        "accept": ["estimated"],
        "effect": "deny",
        "on_indeterminate": "deny",
        **RANKING,
    },
    {"id": "either", "effect": "advise", "on_indeterminate": "advise", "message": "Slow and poor."}
    | {
        "any_of": [
            {"metric": "latency_p95_ms", "unit": "ms", "comparator": "below", "limit": 90, "accept": ["declared"]},
            {"metric": "accuracy", "unit": "ratio", "comparator": "at_least", "limit": 0.9, "accept": ["derived"]},
        ]
    },
    {"id": "both", "effect": "advise", "on_indeterminate": "advise", "message": "Slow or poor.", "level": "soft"}
    | {
        "all_of": [
            {"metric": "latency_p95_ms", "unit": "ms", "comparator": "below", "limit": 90, "accept": ["declared"]},
            {"metric": "training_cost_usd", "unit": "USD", "comparator": "above", "limit": 1, "accept": ["declared"]},
        ]
    },
)


def stated(chance: Random, request: ReviewRequest, run_id: int, now: datetime) -> MetricRecord:
    """One value of any metric and basis, now and then in another unit, out of range, expired or without a bound."""
    name, basis = chance.choice(NAMES), chance.choice(BASES)
    kind = STANDARD[name]
    value = Decimal(chance.randrange(1, chance.choice((200, 1_100)))) / (1000 if kind.unit == "ratio" else 10)
    value *= 1000 if kind.unit == "USD" else 1
    observed_at = now - timedelta(days=chance.choice((0, 1, 1, 30)), microseconds=chance.choice((0, 500, 123_456)))
    return MetricRecord(
        request=request,
        name=name,
        value=value,
        unit=chance.choice((kind.unit,) * 99 + ("s",)),
        basis=basis,
        lower=chance.choice((None, value, value * Decimal("0.9"))),
        upper=chance.choice((None, value, value * Decimal("1.1"))),
        confidence=chance.choice((None, Decimal("0.95"))),
        p80=chance.choice((None, value * Decimal("1.2"))) if basis == "estimated" else None,
        n=chance.choice((None, 0, 499, 2_000, 3_000)),
        source=chance.choice(("", "training log", 'a "quoted"\tsource\\')),
        run_id=run_id if basis == "measured" else None,
        observed_at=observed_at,
        valid_until=chance.choice((None, None, now, observed_at, now + timedelta(days=9))),
    )


def judged(chance: Random, request: ReviewRequest, others: Sequence[int], last: PolicyEvaluation) -> PolicyEvaluation:
    """An evaluation of what was stated up to some value of the request, beside values of other requests."""
    own = list(MetricRecord.objects.filter(request=request).values_list("pk", flat=True).order_by("pk"))
    told = last.told | {
        "environment": chance.choice(("prod", "dev")),
        "team": chance.choice(("search", "vision")),
        "task": chance.choice(("classification", "", "ranking")),
        "metric_values_to": chance.choice(own),
        "binding_values": chance.sample(list(others), chance.choice((0, 0, 1, 2))),
        "waived": chance.sample(["dearer", "both", "accuracy-floor-prod", "training-cost"], chance.choice((0, 2))),
        "references": chance.choice(({}, {"production:total_cost_1y_usd": "9000.50"})),
    }
    return PolicyEvaluation(
        request=request,
        revision=last.revision,
        policy=last.policy,
        occasion="evidence",
        outcome=chance.choice(tuple(PolicyOutcome)).value,
        document=last.document,
        told=told,
        evaluated_at=last.evaluated_at,
    )


@pytest.fixture
def varied(decided: ReviewRequest, now: datetime, request: pytest.FixtureRequest) -> None:
    """Requests of which each has figures and evaluations of its own."""
    chance = Random(request.param)
    with connection.cursor() as cursor:  # one run has one value of each metric
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE evidence_metricrecord DROP CONSTRAINT IF EXISTS one_value_per_run_and_metric")
    with search_entered_at_the_end():
        columns = {"ref": "'MRR-2015-' || lpad(n::text, 6, '0')", "purpose": "'p' || n", "state": "'withdrawn'"}
        multiply(decided, count=REQUESTS, replaces_id="NULL", **columns)
    run_id = MetricRecord.objects.filter(request=decided, run__isnull=False).values_list("run_id", flat=True)[0]
    last = PolicyEvaluation.objects.filter(request=decided).latest("pk")
    made = list(ReviewRequest.objects.filter(ref__startswith="MRR-2015-").order_by("pk"))
    MetricRecord.objects.bulk_create(
        [stated(chance, each, run_id, now) for _ in range(14) for each in made if chance.random() < 0.8]
    )
    others = list(MetricRecord.objects.filter(request=decided).values_list("pk", flat=True))
    PolicyEvaluation.objects.bulk_create([judged(chance, each, others, last) for _ in range(2) for each in made])


def alone(
    row: PolicyEvaluation, before: Sequence[Policy], after: Sequence[Policy]
) -> tuple[list[Evaluation], dict[BudgetUnit, Decimal]]:
    """What the policies say of one request alone, and what it costs."""
    told, catalog = row.told, catalog_in_force()
    known = row.request.metric_records.filter(pk__lte=told["metric_values_to"]).order_by("pk")
    values = [metric_value_of(record) for record in known]
    binding = [metric_value_of(MetricRecord.objects.get(pk=pk)) for pk in told["binding_values"]]
    subject = EvaluationSubject(**{name: told[name] for name in EvaluationSubject.__dataclass_fields__})
    references = {
        (Reference(key.partition(":")[0]), key.partition(":")[2]): Decimal(number)
        for key, number in told["references"].items()
    }
    found = [
        evaluate(
            next(iter(applying(policies, subject=subject))),
            subject=subject,
            metric_values=counted_values(values, binding=binding, catalog=catalog),
            catalog=catalog,
            now=row.evaluated_at,
            references=references,
            waived=frozenset(told["waived"]),
        )
        for policies in (before, after)
    ]
    return found, amounts_of(bound_values(values, binding=binding))


def draft(now: datetime, **more: Any) -> PolicyVersion:
    document = yaml.safe_load(FULL)
    document["rules"][0]["limit"] = 60
    document["rules"] = [*document["rules"][:-1], *MORE_RULES]
    return rulebook.draft_policy(source=yaml.safe_dump(document | more), by=None, now=now)


@pytest.mark.parametrize("block", [7, 2_000])
@pytest.mark.parametrize("varied", [1, 2], indirect=True)
@pytest.mark.parametrize("more", [{}, OF_ONE_TEAM], ids=["for all", "for one team"])
def test_each_request_is_judged_as_it_is_alone(
    varied: None, policy: PolicyVersion, now: datetime, more: Any, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtest, "BLOCK", block, raising=False)
    version, against = draft(now, **more), policy
    if more:
        against = rulebook.draft_policy(source=yaml.safe_dump(yaml.safe_load(FULL) | more), by=None, now=now)
    given = {"name": version.name, "number": version.number, "against": against.number, "quarters": 4}
    result = backtest.run(backtest.question(**given, now=now))
    before = policies_with(policies_in_force(), added=policy_in(against))
    after = policies_with(before, added=policy_in(version))
    rows = PolicyEvaluation.objects.order_by("pk").select_related("request")
    last = {row.request.ref: row for row in rows if row.request.state == "withdrawn"}
    assert len(last) == REQUESTS
    last = {ref: row for ref, row in last.items() if not more or row.told["team"] == "vision"}
    seen, expected = {line.ref: line for line in result.lines if line.ref in last}, {}
    assert (len(seen), len(result.lines)) == (len(last), len(last) + (not more))
    counted = Counter[PolicyOutcome]()
    for ref, row in last.items():
        found, amounts = alone(row, before, after)
        line = seen[ref]
        case, verdicts = line.compared.case, (line.compared.before, line.compared.after)
        expected[ref] = (-case.usd, ref)
        assert (case.usd, case.gpu_h) == (amounts[BudgetUnit.USD], amounts[BudgetUnit.GPU_H])
        assert (line.recorded.value, line.judged_at) == (row.outcome, row.evaluated_at)
        for evaluation, verdict in zip(found, verdicts, strict=True):
            assert verdict.effects == {each.rule_id: each.effect for each in evaluation.results if each.effect}
            assert verdict.outcome == evaluation.outcome
        counted[verdicts[1].outcome] += 1
    assert len(counted) >= 2
    assert result.changed
    rest = [line for line in seen.values() if not (line.compared.is_stricter or line.compared.is_looser)]
    assert [line.ref for line in rest] == sorted((line.ref for line in rest), key=expected.__getitem__)
