"""What the default policy says of many filings, rule by rule, and what a changed one would have said of them."""

import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import yaml

from governance.rulebook.domain.evaluation import replay
from governance.rulebook.domain.evaluation.metric_index import index_values
from governance.rulebook.domain.evaluation.policies import RuleResult, evaluate
from governance.rulebook.domain.policy import Policy, parse_policy
from governance.rulebook.domain.scopes import EvaluationSubject
from tests.factories.policies import FULL
from tests.golden.golden import check
from tests.unit.governance.rulebook.builders import BEFORE, NOW, metric_value
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.metrics.values import MetricValue

FILINGS = 40
SPREADS = {
    "training_gpu_hours": ("90", "120", "200", "200.5", "900"),
    "training_cost_usd": ("50", "9999.99", "10000", "10000.01"),
    "total_cost_1y_usd": ("900", "49999", "50000", "50001", "1200000"),
    "latency_p95_ms": ("2", "80", "99.9", "100", "140"),
    "accuracy": ("0.93", "0.80", "0.79", "0.5"),
    "business_kpi_delta": ("0.05", "0.001", "0", "-0.02"),
    "alternatives_measured": ("3", "1", "0"),
}
"""Values about each limit, a good one first."""
CHANGED_LIMITS = {"training-gpu-hours": 100, "total-cost-1y": 60_000, "latency-p95-prod": 80}


def drawn(rng: random.Random, name: str, *, odd: float) -> Iterator[MetricValue]:
    """A good measurement; or with that chance none at all, or a poor, weak, small, stale or malformed one, or two."""
    if rng.random() >= odd:
        yield metric_value(name, SPREADS[name][0], basis=Basis.MEASURED, n=3000, **interval(SPREADS[name][0]))
        return
    for basis in rng.sample(tuple(Basis), k=rng.choice((0, 1, 1, 1, 2))):
        value = rng.choice(SPREADS[name])
        fields = interval(value) if rng.random() < 0.8 else {}
        if rng.random() < 0.1:
            fields["valid_until"] = BEFORE + timedelta(days=1)
        unit = {"unit": "furlong"} if rng.random() < 0.05 else {}
        yield metric_value(name, value, basis=basis, n=rng.choice((None, 400, 500, 1999, 2000, 3000)), **fields, **unit)


def interval(value: str) -> dict[str, Any]:
    """Two percent to either side."""
    bounds = sorted(Decimal(value) * Decimal(factor) for factor in ("0.98", "1.02"))
    return {"lower": bounds[0], "upper": bounds[1]}


def cases() -> list[tuple[replay.ReplayCase, list[MetricValue]]]:
    rng = random.Random(2026)
    made = []
    for number in range(1, FILINGS + 1):
        metric_values = [each for name in SPREADS for each in drawn(rng, name, odd=(0, 0.3, 0.8)[number // 2 % 3])]
        waived = frozenset(rng.sample(("accuracy-floor-prod", "business-gain-prod", "total-cost-1y"), k=number % 3))
        subject = EvaluationSubject(
            team=rng.choice(("search", "ads")),
            tier=rng.choice(("T1", "T3")),
            environment=("prod", "prod", "dev")[number % 3],
            kind="file",
            format="onnx",
            task="classification",
        )
        usd, gpu_h = Decimal(rng.randrange(100_000)), Decimal(rng.randrange(900))
        case = replay.ReplayCase(
            request=replay.ReplayedRequest(ref=f"MRR-2026-{number:04d}", subject=subject, usd=usd, gpu_h=gpu_h),
            index=index_values(metric_values, catalog=STANDARD),
            at=NOW,
            waived=waived,
        )
        made.append((case, metric_values))
    return made


def line_of(result: RuleResult) -> str:
    effect = result.effect.value if result.effect else "no effect"
    return f"  {result.rule_id}: {result.status.value}, {effect}, {result.level.value}; {result.reason}"


def changed() -> Policy:
    """Three other limits, one rule stricter and one milder, and nothing asked about cheaper variants."""
    document = yaml.safe_load(FULL)
    document["rules"] = [rule for rule in document["rules"] if rule["id"] != "cheaper-alternatives-prod"]
    for rule in document["rules"]:
        rule["limit"] = CHANGED_LIMITS.get(rule["id"], rule["limit"])
        if rule["id"] == "accuracy-floor-prod":
            rule |= {"effect": "deny", "on_indeterminate": "deny"}
        if rule["id"] == "training-cost":
            rule |= {"effect": "advise", "on_indeterminate": "advise"}
    return parse_policy(document)


def test_what_the_default_policy_says_of_each_filing() -> None:
    policy, lines = parse_policy(yaml.safe_load(FULL)), []
    for case, metric_values in cases():
        said = evaluate(
            policy,
            subject=case.request.subject,
            metric_values=metric_values,
            now=case.at,
            waived=case.waived,
            catalog=STANDARD,
        )
        waived = ", ".join(sorted(case.waived)) or "nothing"
        lines.append(f"{case.request.ref} {case.request.subject.environment}, {waived} waived: {said.outcome.value}")
        lines += map(line_of, said.results)
    check("policy/filings.txt", "\n".join([policy.digest, *lines]))


def test_what_a_changed_policy_would_have_said() -> None:
    before, after = parse_policy(yaml.safe_load(FULL)), changed()
    compared = replay.compare((case for case, _ in cases()), before=[before], after=[after])
    lines = [line for each in compared for line in (compared_line(each), effects_line(each))]
    for name, verdicts in (
        ("before", [each.before for each in compared]),
        ("after", [each.after for each in compared]),
    ):
        told = list(zip((each.case for each in compared), verdicts, strict=True))
        lines += [f"{name}: {outcome.value} {share_words(share)}" for outcome, share in replay.shares(told).items()]
        lines += [f"{name}: {rule} stands against {count}" for rule, count in replay.rule_counts(verdicts).items()]
    check("policy/replay.txt", "\n".join([after.digest, *lines]))


def share_words(share: replay.ReplayShare) -> str:
    return f"{share.count} requests, {share.usd} USD, {share.gpu_h} GPU hours"


def compared_line(each: replay.ReplayComparison) -> str:
    way = "stricter" if each.is_stricter else "looser" if each.is_looser else "the same"
    return f"{each.case.ref}: {each.before.outcome.value} -> {each.after.outcome.value}, {way}"


def effects_line(each: replay.ReplayComparison) -> str:
    now = ", ".join(f"{rule} {effect.value}" for rule, effect in each.after.effects.items())
    return f"  now {now or 'nothing'}; added {', '.join(each.added_rules)}; removed {', '.join(each.removed_rules)}"
