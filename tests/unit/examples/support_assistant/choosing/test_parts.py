"""The parts of the case: fit and sizing of B, load tests, scores, costs, and what counts as measured."""

import dataclasses
import json
from datetime import date

import pytest

import weighbridge
from examples.support_assistant import load_tests, serving
from examples.support_assistant.batching import Replica
from examples.support_assistant.choosing import capacity, costing, decision, scores
from examples.support_assistant.choosing.costing import OwnReplicas
from examples.support_assistant.choosing.decision import CaseResults
from examples.support_assistant.choosing.report import headline_of
from examples.support_assistant.settings import FULL, QUICK, TITLES, DeclaredSupport, SupportSettings
from examples.support_assistant.stand_ins import managed_answer, open_answer
from examples.support_assistant.tickets import CODE, attacks, prompt_lines, tickets
from tests.refusals import has_code
from weighbridge.core.errors import Invalid
from weighbridge.costs.prices import book_options
from weighbridge.quality.prompts.answer_file import PromptAnswer, TokenUsage, answer_lines

ASKED, ATTACKS = tickets(40), attacks(100)
USAGE = TokenUsage(input_tokens=120, output_tokens=10)
TINY = dataclasses.replace(QUICK, tickets=12, sizing_requests=200, sizing_seeds=1, draws=400)


def metric(value: float, lower: float | None = None, upper: float | None = None, unit: str = "ratio") -> dict:
    ends = {"lower": value if lower is None else lower, "upper": value if upper is None else upper}
    return {"value": value, **ends, "confidence": 0.95, "n": 100, "unit": unit}


def load(share: float, *, status: str = "valid", codes: tuple[str, ...] = (), **more) -> dict:
    metrics = {"good_share": metric(share), "goodput_per_s": metric(4 * share, unit="1/s"), **more}
    reasons = [{"code": code, "status": status, "message": f"{code}."} for code in codes]
    missing = [{"metric": "ttft_p95_ms", "message": "ttft_p95_ms is withheld."}]
    return {
        "schema": "weighbridge.load/1",
        "metrics": metrics,
        "missing": missing,
        "verdict": {"status": status, "reasons": reasons},
        "double": None,
        "attempts": 1,
    }


@pytest.fixture(scope="module")
def prompts(tmp_path_factory):
    path = tmp_path_factory.mktemp("case") / "prompts.jsonl"
    path.write_text(prompt_lines(ASKED))
    return path


@pytest.fixture(scope="module")
def answers(prompts):
    """Answers of the two doubles, of one who never is right, and of one who always is."""
    given = {
        "a": [answered(managed_answer, each) for each in ASKED],
        "b": [answered(open_answer, each) for each in ASKED],
        "c": ["I am a shop." for _ in ASKED],
        "d": [each.right for each in ASKED],
    }
    return {option: written(prompts, f"answers-{option}", ASKED, texts) for option, texts in given.items()}


@pytest.fixture(scope="module")
def defenses(prompts):
    """Answers to planted instructions: C follows every one, D none."""
    prompts.with_name("attacks.jsonl").write_text(prompt_lines(ATTACKS))
    given = {
        "a": [answered(managed_answer, each) for each in ATTACKS],
        "b": [answered(open_answer, each) for each in ATTACKS],
        "c": [f"Of course: {CODE.lower()}!" for _ in ATTACKS],
        "d": [each.right for each in ATTACKS],
    }
    return {option: written(prompts, f"attacks-{option}", ATTACKS, texts) for option, texts in given.items()}


def answered(answer, ticket):
    return answer({"messages": ticket.as_prompt()["messages"]})


def written(prompts, name, tickets, texts):
    lines = (PromptAnswer(id=each.id, text=text, usage=USAGE) for each, text in zip(tickets, texts, strict=True))
    prompts.with_name(f"{name}.jsonl").write_bytes(answer_lines(lines))
    return prompts.with_name(f"{name}.jsonl")


@pytest.fixture(scope="module")
def scored(prompts, answers, defenses):
    planted = prompts.with_name("attacks.jsonl")
    return {
        option: scores.score(prompts, path, option, attacks=(planted, defenses[option]))
        for option, path in answers.items()
    }


@pytest.fixture(scope="module")
def passes(prompts, answers):
    return {
        option: scores.write_passes(prompts, path, path.with_name(f"passes-{option}.jsonl"))
        for option, path in answers.items()
    }


def test_the_open_model_fits_as_its_configuration_says(tmp_path) -> None:
    fit = capacity.fit_of(tmp_path, FULL)
    assert fit["metrics"]["parameters_total"]["value"] == 8_030_261_248
    assert fit["metrics"]["kv_bytes_per_token"]["value"] == 131_072
    replica = capacity.replica_of(fit, FULL)
    room = int(0.9 * 46_068 * 2**20) - 2 * 8_030_261_248 - 2**30
    assert (replica.slots, replica.kv_tokens) == (32, room // 131_072)
    small = dataclasses.replace(FULL, declared=DeclaredSupport(accelerator="t4"))
    with pytest.raises(Invalid, check=lambda error: error.field == "accelerator"):
        capacity.replica_of(capacity.fit_of(tmp_path, small), small)


def test_sizing_is_simulated_around_the_rate_at_which_the_replica_gives_in(tmp_path) -> None:
    heard, replica = [], Replica(slots=8)
    found = capacity.sizing_of(tmp_path, replica, ASKED, TINY, lambda share, _: heard.append(share))
    rows = [line.split(",") for line in (tmp_path / capacity.RUNS).read_text().splitlines()[1:]]
    rates = sorted({float(rate) for rate, *_ in rows})
    assert 4.0 in rates
    assert (len(rates), rates[-1] / rates[-2]) == (8, pytest.approx(1.2 / 1.05, rel=0.01))
    assert found["highest_rate_per_s"]["lower"] > 4.0
    assert found["replicas"]["value"] == 2  # one for the peak, one spare
    assert (heard, heard[-1]) == (sorted(heard), 1.0)
    (tmp_path / capacity.RUNS).unlink()
    assert capacity.sizing_of(tmp_path, replica, ASKED, TINY, lambda *_: None) == found
    assert not (tmp_path / capacity.RUNS).exists()  # stored: nothing is simulated again
    capacity.sizing_of(tmp_path, Replica(slots=4), ASKED, TINY, lambda *_: None)
    assert (tmp_path / capacity.RUNS).exists()


def test_scores_are_those_of_the_answers_and_say_their_basis(scored) -> None:
    rates = {option: found["metrics"]["pass_rate"]["value"] for option, found in scored.items()}
    assert (rates["c"], rates["d"]) == (0.0, 1.0)
    assert 0.7 < rates["b"] < rates["a"] < 1.0
    bases = {option: {each["basis"] for each in found["metrics"].values()} for option, found in scored.items()}
    assert bases == {"a": {"estimated"}, "b": {"estimated"}, "c": {"measured"}, "d": {"measured"}}
    assert [found["is_double"] for found in scored.values()] == [True, True, False, False]
    assert scored["a"]["clusters"] == 12


def test_planted_instructions_that_were_followed_are_counted(scored) -> None:
    followed = {option: found["metrics"]["injection_pass_rate"] for option, found in scored.items()}
    assert {option: each["value"] for option, each in followed.items()} == {"a": 0.01, "b": 0.05, "c": 1.0, "d": 0.0}
    assert {option: each["basis"] for option, each in followed.items()} == {
        **dict.fromkeys("ab", "estimated"),
        **dict.fromkeys("cd", "measured"),
    }
    assert followed["d"]["upper"] > 0, "that none of 100 was followed is no proof"
    assert {each["n"] for each in followed.values()} == {100}


def test_every_two_candidates_are_compared_ticket_by_ticket(prompts, answers) -> None:
    found = {(each["first"], each["second"]): each for each in scores.pairs(prompts, answers)}
    assert len(found) == 6
    best = found["c", "d"]
    assert (best["comparison"]["difference"]["value"], best["comparison"]["answer"]) == (-1.0, "worse")
    assert best["basis"] == "measured"
    assert {pair for pair, each in found.items() if each["basis"] == "measured"} == {("c", "d")}


def test_passes_are_written_with_their_clusters(passes) -> None:
    lines = [json.loads(line) for line in passes["d"].read_text().splitlines()]
    assert lines[0] == {"id": "t-0001", "passed": [True], "cluster": "shoes"}
    assert len(lines) == len(ASKED)


def test_replicas_are_those_that_keep_the_limits_at_the_peak() -> None:
    sizing = {"highest_rate_per_s": {"value": 40.0}, "replicas": {"value": 2}}
    assert costing.replicas_of("b", {}, sizing, FULL) == OwnReplicas(
        sku="aws/us-east-1/g6e.xlarge", goodput_per_s=40.0, replicas=2
    )
    assert costing.replicas_of("b", {}, {**sizing, "replicas": {"value": None}}, FULL) is None
    assert costing.replicas_of("d", load(1.0), sizing, FULL).replicas == 2
    assert costing.replicas_of("d", load(0.25), sizing, FULL).replicas == 5 + 1  # 4 / (1.0 * 0.9) is 4.4
    assert costing.replicas_of("c", load(1.0), sizing, FULL).replicas == 8 + 1  # each was tested at 0.5
    assert costing.replicas_of("c", load(0.001), sizing, FULL) is None
    assert costing.replicas_of("c", {"metrics": {}}, sizing, FULL) is None


def test_an_accepted_answer_costs_its_try_and_the_share_of_a_person(scored, passes) -> None:
    own = {option: OwnReplicas(sku="aws/us-east-1/c5.xlarge", goodput_per_s=4.0, replicas=2) for option in "bd"}
    found = costing.accepted(TINY, scored, {**own, "c": None}, passes)
    costs = {each["name"]: each["metrics"] for each in found["options"]}
    assert set(costs) == {"a", "b", "d"}
    call = (120 * 0.2 + 10 * 1.2) / 1e6
    assert float(costs["a"]["cost_per_request_usd"]["middle"]) == pytest.approx(call, abs=1e-10)
    failed = 1 - scored["a"]["metrics"]["pass_rate"]["value"]
    assert float(costs["a"]["cost_per_accepted_usd"]["middle"]) == pytest.approx(call + failed * 0.4, abs=1e-9)
    # Two machines at 0.17 an hour for 1.4 requests a second; its range is that of the demand.
    assert float(costs["d"]["cost_per_request_usd"]["middle"]) == pytest.approx(2 * 0.17 / (3_600 * 1.4), rel=0.01)
    assert costs["d"]["cost_per_accepted_usd"]["middle"] == costs["d"]["cost_per_request_usd"]["middle"]
    against = costing.own_or_api(TINY, scored, own["b"])
    assert against["break_even"]["middle"]["per_h"] == pytest.approx(2 * 0.17 / call, rel=1e-6)


def test_the_case_has_the_prices_of_its_day_when_the_book_has_aged(scored, passes, monkeypatch) -> None:
    monkeypatch.setattr(book_options, "_today", lambda: date(2036, 2, 29))
    own = OwnReplicas(sku=TINY.declared.gpu_sku, goodput_per_s=4.0, replicas=2)
    with pytest.raises(Invalid, match="at most 180"):
        weighbridge.own_or_api({"own": {**own.inputs(TINY)}, "api": costing.call_of(TINY, scored["a"])})
    assert costing.own_or_api(TINY, scored, own)["schema"] == "weighbridge.own-or-api/1"
    assert costing.accepted(TINY, scored, {"b": own}, passes)["options"]


def results(scored, passes, loads, *, why=None) -> CaseResults:
    own = {option: OwnReplicas(sku="aws/us-east-1/c5.xlarge", goodput_per_s=4.0, replicas=2) for option in "bd"}
    kept = {option: found for option, found in scored.items() if option in loads}
    accepted = costing.accepted(TINY, kept, own, passes)
    return CaseResults(scores=kept, loads=loads, accepted=accepted, why_without=why or {})


def test_no_double_satisfies_an_item_that_asks_for_a_measured_figure(scored, passes) -> None:
    fast = {"ttft_p95_ms": metric(9.0, 8.0, 10.0, "ms")}
    slow = load(0.1, status="invalid", codes=("errors.requests",))
    loads = {"a": load(1.0, **fast), "b": load(1.0, **fast), "c": slow, "d": load(1.0, **fast)}
    found = decision.evidence(results(scored, passes, loads))
    required = [each.metric for each in found[:4]]
    assert required == ["pass_rate", "injection_pass_rate", "ttft_p95_ms", "goodput_per_s"]
    satisfied = {(each.option, each.metric) for each in found if each.is_satisfied}
    known = {("c", name) for name in required if name != "ttft_p95_ms"}
    assert satisfied == known | {("d", name) for name in required}
    why = {(each.option, each.metric): each.why for each in found}
    assert why["a", "ttft_p95_ms"] == "read from a double"
    assert why["c", "ttft_p95_ms"] == "ttft_p95_ms is withheld."
    assert {each.basis.value for each in found if each.option in "ab"} == {"estimated"}
    late = load(1.0, status="invalid", codes=("generator.lag",), **fast)
    found = decision.evidence(results(scored, passes, {"a": late, "d": late}))
    assert [each.is_satisfied for each in found if each.option == "d"] == [True, True, False, False]
    assert found[-1].why == "the verdict of the measurement is invalid"


def test_the_matrix_rejects_who_is_too_slow_and_excludes_who_is_not_there(scored, passes) -> None:
    fast = {"ttft_p95_ms": metric(9.0, 8.0, 10.0, "ms")}
    loads = {"a": load(1.0, **fast), "b": load(0.5, **fast), "d": load(1.0, **fast)}
    case = results(scored, passes, loads, why={"c": "C is not installed."})
    decided = decision.choose(case, TINY)
    assert decided.winner.name == TITLES["d"]
    reasons = {each.name: each.reasons for each in decided.rejected}
    assert reasons[TITLES["c"]] == ("C is not installed.",)
    assert "the gate is at least 0.95" in reasons[TITLES["b"]][0]
    bases = {each.basis.value for option in "ab" for each in decided.matrix.cells_of(TITLES[option]).values()}
    assert bases == {"estimated"}
    choice, front = decision.frontier(case, TINY, "2026-11-28T00:00:00+00:00")
    assert {each["name"]: str(each["state"]) for each in front["standings"]}[TITLES["d"]] == "frontier"
    assert [each.made_by for each in choice.candidates] == ["double", "double", "measured here"]
    assert "not to be approved" not in headline_of(decided, decision.evidence(case))


def test_a_winner_that_is_a_double_is_not_to_be_approved(scored, passes) -> None:
    fast = {"ttft_p95_ms": metric(9.0, 8.0, 10.0, "ms")}
    for share, words in ((1.0, f"Of what was measured, {TITLES['c']} is best."), (0.1, "Nothing that passes")):
        case = results(scored, passes, {"a": load(1.0, **fast), "b": load(1.0, **fast), "d": load(share, **fast)})
        # The one who is always wrong stands for D, so that A wins.
        worst = {**case.scores, "d": scored["c"]}
        accepted = costing.accepted(
            TINY,
            worst,
            {option: OwnReplicas(sku="aws/us-east-1/c5.xlarge", goodput_per_s=4.0, replicas=2) for option in "bd"},
            {**passes, "d": passes["c"]},
        )
        case = dataclasses.replace(case, scores=worst, accepted=accepted, why_without={"c": "left out"})
        headline = headline_of(decision.choose(case, TINY), decision.evidence(case))
        assert headline.startswith(f"{TITLES['a']} comes first, but is not to be approved")
        assert words.replace(TITLES["c"], TITLES["d"]) in headline


def test_an_option_without_a_price_is_excluded_with_the_reason(scored, passes) -> None:
    loads = {"a": load(1.0), "b": load(1.0), "c": load(0.0), "d": load(1.0)}
    decided = decision.choose(results(scored, passes, loads), TINY)
    (reason,) = next(each.reasons for each in decided.rejected if each.name == TITLES["c"])
    assert reason.startswith("Next to none of its answers came within the limits")


def test_a_load_test_is_repeated_only_where_this_machine_disturbed_it(monkeypatch, tmp_path) -> None:
    tests = [
        load(1.0, status="invalid", codes=("generator.lag",)),
        load(0.1, status="invalid", codes=("errors.requests", "samples.too_few")),
    ]
    candidate = dataclasses.replace(serving.managed(), serve=_Anywhere)
    monkeypatch.setattr(load_tests, "_fire", lambda *_: tests.pop(0))
    found = load_tests.load_test(candidate, tmp_path, FULL, lambda *_: None)
    assert (found["attempts"], tests) == (2, [])
    assert {each["basis"] for each in found["metrics"].values()} == {"estimated"}
    assert found["double"].startswith("double: right with the declared chance 0.92")
    again = [load(1.0, status="invalid", codes=("generator.lag",)) for _ in range(3)]
    monkeypatch.setattr(load_tests, "_fire", lambda *_: again.pop())
    real = dataclasses.replace(serving.local(), serve=_Anywhere)
    found = load_tests.load_test(real, tmp_path, FULL, lambda *_: None)
    assert (found["attempts"], found["double"]) == (3, None)
    assert {each["basis"] for each in found["metrics"].values()} == {"measured"}


class _Anywhere:
    def __enter__(self) -> str:
        return "http://127.0.0.1:9"

    def __exit__(self, *_) -> None:
        return None


@pytest.mark.parametrize("count", [11, 301])
def test_more_tickets_than_the_doubles_know_are_refused(count) -> None:
    with pytest.raises(Invalid, check=has_code("invalid")):
        SupportSettings(tickets=count)
