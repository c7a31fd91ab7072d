"""Alternatives to a language model: costs to the cent, verdicts, shared answers, and what counts as measured."""

import json

import pytest

from tests.unit.toolkit.optimization.language.builders import (
    LARGE,
    SMALL,
    book,
    candidate,
    compared,
    write_answers,
    write_prompts,
)
from weighbridge.core.errors import Invalid
from weighbridge.costs.value.request_cost import request_cost
from weighbridge.optimization.language.answer_costs import DrawSettings
from weighbridge.quality.prompts.answer_file import TokenUsage
from weighbridge.tradeoff.candidates import candidates_from

N = 400


@pytest.fixture
def folder(tmp_path):
    """400 prompts; the large model passes 360, the small one 356 of the same."""
    write_prompts(tmp_path, N)
    write_answers(tmp_path, "large", [place % 10 != 0 for place in range(N)])
    write_answers(tmp_path, "small", [place % 10 != 0 and place % 100 != 1 for place in range(N)])
    return tmp_path


def request_usd(model, tier="standard", **usage):
    counts = {"input_tokens": 600, "output_tokens": 200} | usage
    return float(request_cost(book(), model, counts, tier=tier).total_usd)


def test_a_smaller_model_is_equivalent_and_cheaper(folder):
    document = compared(folder, SMALL)
    large, small = (candidate(document, name) for name in ("large", "small"))
    assert large["metrics"]["cost_per_request_usd"]["value"] == request_usd("openai/gpt-5") == 0.00275
    assert small["metrics"]["cost_per_request_usd"]["value"] == request_usd("openai/gpt-5-mini") == 0.00055
    assert large["metrics"]["cost_per_accepted_usd"]["value"] == pytest.approx(0.00275 / 0.9, rel=1e-12)
    assert small["metrics"]["cost_per_accepted_usd"]["value"] == pytest.approx(0.00055 / 0.89, rel=1e-12)
    saving = small["cost_saving"]
    assert saving["value"] == pytest.approx(0.00275 / 0.9 - 0.00055 / 0.89, rel=1e-12)
    assert 0 < saving["lower"] < saving["value"] < saving["upper"]
    drop = small["quality_drop"]
    assert (drop["metric"], drop["n"], drop["margin"], drop["is_non_inferior"]) == ("pass_rate", N, 0.05, True)
    assert drop["value"] == pytest.approx(0.01)
    assert (small["kind"], small["verdict"]["answer"]) == ("smaller_model", "worth_it")
    assert [reason["code"] for reason in small["verdict"]["reasons"]] == ["quality.equivalent", "cost.cheaper"]
    assert (document["verdict"]["status"], document["scenario"], document["rows"]) == ("valid", "alternatives", N)
    assert document["metrics"]["alternatives_measured"]["value"] == 1
    assert set(document["standings"]) == {"large", "small"}
    assert candidates_from(json.loads(json.dumps(document))).named("small").kind == "smaller_model"


def test_a_person_after_a_failure_makes_the_worse_model_dearer(folder):
    write_answers(folder, "small", [place % 2 == 0 for place in range(N)])
    without = candidate(compared(folder, SMALL), "small")
    assert without["verdict"]["answer"] == "costs_quality"
    found = candidate(compared(folder, SMALL, fallback_usd=0.4, check_usd="0.0003"), "small")
    assert found["verdict"]["answer"] == "no_gain"
    assert found["metrics"]["cost_per_accepted_usd"]["value"] == pytest.approx(0.00055 + 0.0003 + 0.5 * 0.4)
    assert "is not cheaper" in found["verdict"]["reasons"][1]["message"]


def test_few_prompts_cannot_tell(tmp_path):
    write_prompts(tmp_path, 40)
    write_answers(tmp_path, "large", [place % 10 != 0 for place in range(40)])
    write_answers(tmp_path, "small", [place % 10 != 1 for place in range(40)])
    found = candidate(compared(tmp_path, SMALL), "small")
    assert found["verdict"]["answer"] == "cannot_tell"
    assert "more prompts would tell" in found["verdict"]["reasons"][0]["message"]
    close = {"name": "close", "kind": "quantized", "answers": "large.jsonl", "usd_per_request": [0.001, 0.006]}
    unclear = candidate(compared(tmp_path, close, margin=0.5), "close")
    assert unclear["verdict"]["answer"] == "cannot_tell"
    assert unclear["verdict"]["reasons"][1]["code"] == "cost.unclear"


def test_a_batch_tier_and_a_cache_share_the_answers_and_do_not_count(folder):
    cache = {"name": "cached", "kind": "prompt_cache", "prefix_tokens": 400, "hit_share": 0.9}
    document = compared(folder, {"name": "batch", "kind": "batch_tier"}, cache)
    batch, cached = (candidate(document, name) for name in ("batch", "cached"))
    assert batch["metrics"]["cost_per_request_usd"]["value"] == request_usd("openai/gpt-5", "batch") == 0.001375
    hit = request_usd("openai/gpt-5", cache_read_tokens=400)
    miss = request_usd("openai/gpt-5", cache_write_tokens=400)
    assert cached["metrics"]["cost_per_request_usd"]["value"] == pytest.approx(0.9 * hit + 0.1 * miss, rel=1e-12)
    for each in (batch, cached):
        assert (each["quality_drop"]["value"], each["quality_drop"]["upper"]) == (0.0, 0.0)
        assert each["verdict"]["answer"] == "worth_it"
        assert each["verdict"]["reasons"][0]["code"] == "quality.same"
    assert document["metrics"] == {}
    assert document["verdict"]["status"] == "invalid"
    assert document["verdict"]["reasons"][-1]["code"] == "alternatives.none"


def test_a_cache_that_is_measured_has_answers_and_cached_tokens_of_its_own(folder):
    usage = TokenUsage(input_tokens=600, cached_tokens=500, output_tokens=200, reasoning_tokens=50)
    write_answers(folder, "cached", [place % 10 != 0 for place in range(N)], usage)
    document = compared(folder, {"name": "cached", "kind": "prompt_cache", "answers": "cached.jsonl"})
    expected = request_usd("openai/gpt-5", cache_read_tokens=500, output_reasoning_tokens=50)
    assert candidate(document, "cached")["metrics"]["cost_per_request_usd"]["value"] == expected
    assert document["metrics"]["alternatives_measured"]["value"] == 1


def test_what_is_paid_once_is_spread_over_requests(folder):
    tuned = SMALL | {"name": "tuned", "kind": "fine_tuned", "once_usd": 500, "requests": 1_000_000}
    found = candidate(compared(folder, tuned), "tuned")
    assert found["metrics"]["cost_per_request_usd"]["value"] == pytest.approx(0.00055 + 0.0005, rel=1e-12)


def test_no_passed_answer_has_no_cost_and_a_sure_one_has_a_range(folder):
    write_answers(folder, "small", [False] * N)
    found = candidate(compared(folder, SMALL), "small")
    assert (found["cost_saving"], "cost_per_accepted_usd" in found["metrics"]) == (None, False)
    assert found["verdict"]["answer"] == "cannot_tell"
    assert "No answer passes" in found["verdict"]["reasons"][1]["message"]
    write_answers(folder, "small", [True] * N)
    sure = candidate(compared(folder, SMALL), "small")["metrics"]["cost_per_accepted_usd"]
    assert sure["lower"] <= sure["value"] == 0.00055 < sure["upper"]


def test_the_same_model_saves_nothing(folder):
    same = {"name": "same", "kind": "shorter_prompt", "answers": "large.jsonl", "model": "openai/gpt-5"}
    found = candidate(compared(folder, same), "same")
    assert (found["cost_saving"]["lower"], found["cost_saving"]["upper"]) == (0.0, 0.0)
    assert (found["verdict"]["answer"], found["quality_drop"]["value"]) == ("no_gain", 0.0)


def test_one_cluster_has_no_interval(tmp_path):
    write_prompts(tmp_path, 20, clusters=1)
    for name in ("large", "small"):
        write_answers(tmp_path, name, [True] * 20)
    with pytest.raises(Invalid, match="one cluster"):
        compared(tmp_path, SMALL)
    write_prompts(tmp_path, 20, clusters=10)
    write_answers(tmp_path, "small", [True])
    with pytest.raises(Invalid, match="fewer than two scored prompts in common"):
        compared(tmp_path, SMALL)


def test_lost_answers_are_no_evidence(folder):
    write_answers(folder, "small", [True] * (N - 20))
    document = compared(folder, SMALL)
    assert candidate(document, "small")["measurement"]["status"] == "invalid"
    codes = {reason["code"] for reason in document["verdict"]["reasons"]}
    assert codes >= {"answers.missing", "comparison.unpaired", "alternatives.none"}
    assert candidate(document, "small")["quality_drop"]["n"] == N - 20


def test_answers_without_a_usage_need_a_stated_price(folder):
    write_answers(folder, "small", [True] * N, None)
    with pytest.raises(Invalid, match=r"answer of small to the prompt 't-0' has no usage") as refusal:
        compared(folder, SMALL)
    assert refusal.value.code == "answers_usage"
    own = {"name": "own", "kind": "quantized", "answers": "small.jsonl", "usd_per_request": "0.001"}
    assert candidate(compared(folder, own), "own")["metrics"]["cost_per_request_usd"]["value"] == 0.001


def test_failed_requests_without_a_usage_cost_nothing(folder):
    lines = (folder / "small.jsonl").read_text().splitlines()
    lines[0] = '{"id": "t-0", "text": "", "finish": "error", "error": "timeout"}'
    (folder / "small.jsonl").write_text("\n".join(lines))
    found = candidate(compared(folder, SMALL), "small")
    assert found["metrics"]["cost_per_request_usd"]["value"] == pytest.approx(0.00055 * 399 / 400)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (DrawSettings(confidence=1.0), "confidence"),
        (DrawSettings(draws=99), "draws"),
        (DrawSettings(draws=100_001), "draws"),
        (DrawSettings(seed=-1), "draws"),
    ],
)
def test_settings_out_of_range_are_refused(folder, settings, field):
    with pytest.raises(Invalid) as refusal:
        compared(folder, SMALL, settings=settings)
    assert refusal.value.field == field


def test_another_tier_is_refused(folder):
    with pytest.raises(Invalid, match="no tier 'Batch'"):
        compared(folder, SMALL | {"tier": "Batch"}, baseline=LARGE)
