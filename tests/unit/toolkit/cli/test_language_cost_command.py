"""`weighbridge cost request`, `accepted` and `own-or-api`: what they print, write and refuse, with exit codes."""

import dataclasses
import json
from decimal import Decimal

import pytest

import weighbridge as toolkit
from tests.unit.toolkit.cli.test_cli import weighbridge
from weighbridge.cli.tables.language.cost_table import request_parts
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.prices.book_options import book_of
from weighbridge.costs.prices.price import amount_text
from weighbridge.costs.value.request_cost import request_cost

ON = ("--on", "2026-11-01")
WIDE = {"COLUMNS": "200"}
MINI = "openai/gpt-5-mini"
USAGE = ("--input", 1_200, "--cached", 800, "--output", 250, "--reasoning", 100)
CASE = (
    *("own.usd_per_replica_h=2.5", "own.goodput_per_s=2.4", "own.utilization=0.35"),
    *(f"api.prices={MINI}", "api.input_tokens=600", "api.output_tokens=200"),
)
OPTIONS = (
    *("options.dear.usd_per_try=0.00384", "options.dear.pass_rate=0.92", "options.dear.fallback_usd=0.4"),
    *("options.cheap.usd_per_try=0.00062", "options.cheap.passed=160", "options.cheap.items=200"),
    *("options.cheap.fallback_usd=0.4",),
)


def cost(*words):
    return weighbridge("cost", *words, *ON, env=WIDE)


def test_a_request_is_printed_line_by_line_with_price_source_and_day(tmp_path):
    done = cost("request", MINI, *USAGE, "--json", tmp_path / "r.json")
    assert done.exit_code == 0, done.stderr
    for text in (
        f"{MINI}, standard, prices on 2026-11-01",
        "800 x 0.025 / 1,000,000",
        "output (no price of its own)",
        "2026-10-14",
        "genai-prices 0.2.3",
        "total: 0.00062 USD",
        "also charged by the vendor, and not in this request: web_searches, storage_searches",
        "retired by its vendor on 2026-12-11, successor gpt-5.6-terra",
    ):
        assert text in done.stdout, text
    found = json.loads((tmp_path / "r.json").read_text())
    assert (found["schema"], found["total_usd"]) == ("weighbridge.request-cost/1", "0.00062")


@pytest.mark.parametrize(("tier", "usd"), [("batch", "0.00031"), ("flex", "0.00031"), ("priority", "0.001116")])
def test_a_tier_has_its_own_price(tier, usd):
    assert f"total: {usd} USD" in cost("request", MINI, *USAGE, "--tier", tier).stdout


def test_searches_cache_writes_and_other_quantities_have_options():
    claude = "anthropic/claude-sonnet-4-5"
    done = cost("request", claude, "--input", 1_000, "--output", 500, "--searches", 3)
    assert "total: 0.0405 USD" in done.stdout
    long = cost("request", claude, "--input", 10_000, "--cached", 6_000, "--cache-write-1h", 2_000, "--output", 500)
    assert "total: 0.0273 USD" in long.stdout
    usual = cost("request", claude, "--input", 10_000, "--cached", 6_000, "--cache-write", 2_000, "--output", 500)
    assert "total: 0.0228 USD" in usual.stdout
    audio = cost("request", "openai/gpt-4o-mini", "--input", 400, "--also", "input_audio_tokens=300", "--quiet")
    assert (audio.exit_code, audio.stdout) == (0, "")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("openai/gpt5-mini",), "Nearest: openai/gpt-5-mini"),
        ((MINI, "--tier", "Flex"), "There is no tier 'Flex'; write one of standard, batch, flex, priority, fast."),
        ((MINI, "--cached", 2, "--input", 1), "is more than the 1 input_tokens"),
        ((MINI, "--also", "input_audio_tokens"), "is not a quantity like input_audio_tokens=300"),
        ((MINI, "--also", "input_audio_tokens=-3"), "is not a quantity like"),
        ((MINI, "--also", "minds=3"), "'minds' is no quantity of a request"),
        ((MINI, "--input", -1), "whole number of zero or more"),
    ],
)
def test_a_request_that_cannot_be_priced_is_refused(words, text):
    done = cost("request", *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert text in done.stderr


def test_a_model_says_what_is_to_know_of_it_and_nothing_else():
    book = book_of(None, None, None, "2026-11-01")
    empty = request_cost(book, MINI, {})
    assert list(request_parts(empty))[1:2] == ["total: 0 USD"]
    noted = (price for price in book.prices if price.note.startswith("deprecated") and price.meter == "input")
    old = next(price for price in noted if price.sku not in book.retirements)
    parts = list(request_parts(request_cost(book, old.sku, {"input_tokens": 1})))
    assert "note: deprecated by its vendor" in parts
    alone = PriceBook((dataclasses.replace(old, note=""),), old.as_of)
    table, total = request_parts(request_cost(alone, old.sku, {"input_tokens": 1_000_000}))
    assert (table.row_count, total) == (1, f"total: {amount_text(old.usd)} USD")


def test_an_own_server_is_set_against_an_api(tmp_path):
    done = cost("own-or-api", *CASE, "--json", tmp_path / "o.json")
    assert done.exit_code == 0, done.stderr
    for text in (
        "own, per million output tokens",
        "own, per million input and output tokens",
        "4,545.45 requests/h, 3,318,182 a month of 730 h, 1,825.00 USD; 1 replicas used at 0.526",
        "at every volume above 9,090.91 requests/h",
        "break-even in 100% of the draws",
        "own is cheaper at the stated utilization with probability 0%",
        f"{MINI} is served until 2026-12-11",
        f"price: {MINI} 0.25 USD of 2026-10-14",
    ):
        assert text in done.stdout, text
    assert json.loads((tmp_path / "o.json").read_text())["schema"] == "weighbridge.own-or-api/1"


def test_the_volumes_may_be_named_and_the_api_may_always_be_cheaper():
    done = cost("own-or-api", *CASE, "--at", 5_000, "--at", 8_700)
    assert [
        row.split("│")[6].strip() for row in done.stdout.splitlines() if row.startswith("│") and "00 │" in row[:16]
    ] == [
        *("100%", "0%"),
    ]
    never = cost("own-or-api", *CASE, "own.usd_per_replica_h=40")
    assert "never; the API is cheaper at every volume" in never.stdout
    assert "of the draws; requests/h" not in never.stdout


def test_an_own_server_alone_has_no_break_even():
    own = (*CASE[:3], "own.input_tokens=600", "own.output_tokens=200")
    done = cost("own-or-api", *own)
    assert (done.exit_code, "break-even" in done.stdout, "4.1336" in done.stdout) == (0, False, True)


def test_the_goodput_may_come_from_a_load_test(tmp_path):
    metrics = {"goodput_per_s": {"value": 2.4}, "output_tokens_mean": {"value": 200}}
    (tmp_path / "load.json").write_text(json.dumps({"schema": "weighbridge.load/1", "metrics": metrics}))
    own = ("own.usd_per_replica_h=2.5", "own.utilization=0.35")
    done = cost("own-or-api", *own, "--measured", tmp_path / "load.json", "--json", tmp_path / "o.json")
    assert (done.exit_code, "4.1336" in done.stdout) == (0, True), done.stderr
    assert json.loads((tmp_path / "o.json").read_text())["measured"]["goodput_per_s"] == {"value": 2.4}
    found = toolkit.own_or_api(
        {"own": {"usd_per_replica_h": 2.5, "utilization": 0.35}}, measured={"metrics": metrics}, on="2026-11-01"
    )
    assert found["own"]["cost_per_m_output_tokens_usd"]["middle"] == "4.1336"


def test_options_are_compared_by_accepted_answers(tmp_path):
    done = cost("accepted", *OPTIONS, "--failure-usd", 0, "--failure-usd", 0.4, "--json", tmp_path / "a.json")
    assert done.exit_code == 0, done.stderr
    for text in (
        "0.03584",
        "0.08062",
        "cheapest: dear",
        "dear is cheaper than cheap once a failure costs more than 0.0268",
    ):
        assert text in done.stdout, text
    found = json.loads((tmp_path / "a.json").read_text())
    assert (found["schema"], [each["failure_usd"] for each in found["failure_costs"]]) == (
        *("weighbridge.accepted/1", [0.0, 0.4]),
    )


def test_inputs_may_come_from_a_file_with_repeated_runs_beside_it(tmp_path):
    (tmp_path / "a.yaml").write_text("options: {a: {usd_per_try: 0.001, tries: 2}}\n")
    lines = (json.dumps({"id": str(place), "passed": place % 3, "runs": 2}) for place in range(60))
    (tmp_path / "runs.jsonl").write_text("\n".join(lines))
    done = cost("accepted", "--file", tmp_path / "a.yaml", "--runs", f"a={tmp_path / 'runs.jsonl'}")
    assert done.exit_code == 0, done.stderr
    assert "a: passes within so many tries, from repeated runs: 1: 0.500, 2: 0.667" in done.stdout
    never = cost("accepted", "options.a.usd_per_try=0.001", "options.a.pass_rate=0")
    assert (never.exit_code, "unlimited" in never.stdout) == (0, True)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("accepted",), "Give inputs like NAME=VALUE, or --file with them."),
        (("accepted", *OPTIONS, "--file", "a.yaml"), "Give inputs like NAME=VALUE, or --file"),
        (("accepted", *OPTIONS, "--runs", "dear"), "'dear' is not in the form OPTION=FILE"),
        (("accepted", *OPTIONS, "--runs", "=x"), "is not in the form OPTION=FILE"),
        (("accepted", "options.dear.pass_rate=0.5"), "one of usd_per_try, call and own"),
        (("own-or-api", "own.goodput_per_s=2"), "own.usd_per_replica_h is missing"),
        (("own-or-api", *CASE, "--at", "0"), "each above 0"),
    ],
)
def test_inputs_that_cannot_be_compared_are_refused(words, text):
    done = cost(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert text in done.stderr


def test_a_file_that_is_no_mapping_is_refused(tmp_path):
    (tmp_path / "a.yaml").write_text("- 1\n")
    done = cost("own-or-api", "--file", tmp_path / "a.yaml")
    assert (done.exit_code, "must be a mapping of names to values" in done.stderr) == (2, True)


def test_the_results_have_rows():
    own = toolkit.own_or_api(
        {
            "own": {"usd_per_replica_h": 2.5, "goodput_per_s": 2.4, "utilization": 0.35},
            "api": {"prices": {"sku": MINI}, "input_tokens": 600, "output_tokens": 200},
        },
        volumes_per_h=[5_000.0],
        on="2026-11-01",
    )
    assert own.rows == (
        {
            "requests_per_h": 5_000.0,
            "requests_per_month": 3_650_000.0,
            "replicas": 1.0,
            "own_usd_per_month": "1825.00",
            "api_usd_per_month": "2007.50",
            "own_cheaper_probability": 1.0,
        },
    )
    options = {"options": {"a": {"usd_per_try": 0.001, "pass_rate": 0.5}}}
    found = toolkit.accepted_answers(options, on="2026-11-01")
    assert [(row["option"], row["metric"], Decimal(row["middle"])) for row in found.rows] == [
        ("a", "cost_per_request_usd", Decimal("0.001")),
        ("a", "cost_per_accepted_usd", Decimal("0.002")),
    ]
