"""Which metric values are wanted, and who can supply them."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from governance.rulebook.domain import defaults
from governance.rulebook.domain.checklists import parse_checklist
from governance.rulebook.domain.evaluation.completeness import completeness
from governance.rulebook.domain.evaluation.metric_index import index_values
from governance.rulebook.domain.evaluation.policies import evaluate_index
from governance.rulebook.domain.policy import parse_policy
from governance.rulebook.domain.scopes import EvaluationSubject, Scope, applying, chosen
from reviews.previews.domain.needs import MetricNeed, Supply, metrics_of, needs_of
from reviews.previews.domain.preview import why_words
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.metrics.values import MetricValue
from weighbridge.core.parsing.yaml_text import parse_yaml

NOW = datetime(2026, 11, 1, tzinfo=UTC)
POLICY = parse_policy(parse_yaml(defaults.text_of(defaults.POLICY)))
CHECKLIST = parse_checklist(parse_yaml(defaults.text_of(defaults.CHECKLIST)))
FILE = EvaluationSubject(
    team="search", tier="T1", environment="prod", kind="file", format="onnx", task="classification"
)
CONTAINER = replace(FILE, kind="container", format="container")
NOTHING_MISSING = Supply()
DOUBT = "There is no evaluation set."


def value(name: str, basis: Basis) -> MetricValue:
    return MetricValue(name=name, value=Decimal(1), unit=STANDARD[name].unit, basis=basis, observed_at=NOW)


def needs(
    subject: EvaluationSubject = FILE,
    *values: MetricValue,
    supply: Supply = NOTHING_MISSING,
    waived: tuple[str, ...] = (),
) -> dict[tuple[str, str], MetricNeed]:
    index = index_values(values, catalog=STANDARD)
    statuses = completeness(
        CHECKLIST, subject=subject, answers=(), index=index, now=NOW, waived=dict.fromkeys(waived, "not needed")
    )
    results = evaluate_index(POLICY, subject=subject, index=index, now=NOW).results
    found = needs_of(POLICY, results=results, statuses=statuses, metric_values=values, supply=supply, catalog=STANDARD)
    return {(need.metric, need.accept[0]): need for need in found}


def test_a_stated_metric_is_stated_by_the_team() -> None:
    need = needs()["training_gpu_hours", "declared"]
    assert (need.ways, need.remedies, need.is_dead_end) == (("The team states it.",), (), False)
    assert need.wanted_by[0] == "rule training-gpu-hours"


def test_a_total_is_computed_from_its_parts() -> None:
    need = needs()["total_cost_1y_usd", "declared"]
    assert need.ways == ("It is computed from Training cost and Inference cost 1 year, which the team states.",)


def test_without_data_measured_quality_is_a_dead_end_that_names_the_remedy() -> None:
    need = needs(supply=Supply(data_doubt=DOUBT))["accuracy", "measured"]
    assert (need.is_dead_end, need.ways, need.remedies) == (True, (), (DOUBT,))
    assert needs(supply=Supply(data_doubt=DOUBT))["alternatives_measured", "measured"].remedies == (DOUBT,)


def test_with_data_our_workers_measure_it() -> None:
    need = needs()["accuracy", "measured"]
    assert (need.is_dead_end, need.ways, need.min_n) == (False, ("Our workers measure it after submission.",), 500)


def test_speed_needs_no_data() -> None:
    need = needs(supply=Supply(data_doubt=DOUBT))["latency_p95_ms", "measured"]
    assert (need.ways, need.min_n) == (("Our workers measure it after submission.",), 2000)


def test_what_cannot_be_run_here_needs_a_key_that_the_policy_trusts() -> None:
    supply = Supply(cannot_measure="A container cannot be run.", data_doubt=DOUBT)
    need = needs(CONTAINER, supply=supply)["latency_p95_ms", "attested"]
    assert need.is_dead_end
    assert need.remedies == (
        "A container cannot be run.",
        "The policy trusts no key of the team; an administrator can publish a version of it that does.",
    )
    signed = needs(CONTAINER, supply=replace(supply, keys=("cluster", "ci")))["latency_p95_ms", "attested"]
    assert signed.ways == ("The team files a result that is signed by: cluster, ci.",)


def test_a_given_value_is_no_dead_end() -> None:
    need = needs(FILE, value("accuracy", Basis.MEASURED), supply=Supply(data_doubt=DOUBT))["accuracy", "measured"]
    assert (need.is_given, need.is_dead_end) == (True, False)
    weaker = needs(FILE, value("accuracy", Basis.DECLARED), supply=Supply(data_doubt=DOUBT))["accuracy", "measured"]
    assert (weaker.is_given, weaker.is_dead_end) == (False, True)


def test_a_waived_item_and_a_rule_of_another_scope_want_nothing() -> None:
    dev = needs(replace(FILE, environment="dev"))
    by_item = [need for need in dev.values() if need.metric == "accuracy"]
    assert all("rule accuracy-floor-prod" not in need.wanted_by for need in by_item)
    metric_items = tuple(item.id for item in CHECKLIST.items if item.metrics)
    waived = needs(replace(FILE, environment="dev"), waived=metric_items)
    assert all(by.startswith("rule ") for need in waived.values() for by in need.wanted_by)


def test_the_metrics_that_policy_and_checklist_name() -> None:
    named = metrics_of(POLICY, checklist=CHECKLIST)
    assert named[0] == "training_gpu_hours"
    assert len(named) == len(set(named))
    assert {"accuracy", "latency_p95_ms"} <= set(named)


def test_the_first_of_the_applying_policies_is_chosen() -> None:
    wide, narrow = POLICY, replace(POLICY, name="narrow", applies_to=Scope(tasks=("classification",)))
    urgent = replace(POLICY, name="urgent", precedence=5)
    other = replace(POLICY, name="other", applies_to=Scope(tasks=("ranking",)))
    assert [each.name for each in applying((wide, narrow, other, urgent), subject=FILE)] == [
        "urgent",
        "narrow",
        "default",
    ]
    assert chosen((other,), subject=FILE) is None


@pytest.mark.parametrize("count", [0, 1])
def test_why_a_policy_judges(count: int) -> None:
    narrow = replace(POLICY, name="narrow", applies_to=Scope(tasks=("classification",)), precedence=3)
    said = why_words(narrow, others=(POLICY,)[:count])
    assert said == "Its scope is tasks classification, with precedence 3. " + (
        "These also cover the request, and have a lower precedence or select fewer properties: default (everything, "
        "precedence 0)."
        if count
        else "No other policy in force covers such a request."
    )


def test_accepted_bases_as_words() -> None:
    found = needs()
    assert found["training_gpu_hours", "declared"].accept_words == "declared or stronger"
    assert found["accuracy", "measured"].accept_words == "measured or stronger, with at least 500 samples"
    only = replace(found["accuracy", "measured"], accept=("billed",), min_n=0)
    assert only.accept_words == "billed"
