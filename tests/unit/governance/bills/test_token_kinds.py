"""What tokens a row counts: by its properties, by `x_` names, by its meter, or unmatched and visible."""

import json
from decimal import Decimal

import pytest

from governance.bills.domain.aggregation import aggregate
from governance.bills.domain.file_kind import FileKind
from governance.bills.domain.quantities.meters import METER_CHARS_MAX, kind_of_meter, read_patterns, shipped_patterns
from governance.bills.domain.quantities.token_kinds import (
    TokenKind,
    bare_name,
    is_same_model,
    subject_of,
    tokens_per,
    with_snapshot,
)
from governance.bills.domain.reading import open_source
from governance.bills.domain.report import report_of
from tests.factories.bills import csv_bytes, row, written
from weighbridge.core.errors import Invalid
from weighbridge.subjects import managed

READ, WRITE, PLAIN = ("input", "read"), ("input", "write"), ("input", "uncached")
OUT = ("output", "uncached")


@pytest.mark.parametrize(
    ("provider", "meter", "model", "kind"),
    [
        ("OpenAI", "gpt-5-mini-2025-08-07, cached input", "gpt-5-mini-2025-08-07", READ),
        ("OpenAI", "gpt-5-mini-2025-08-07, input", "gpt-5-mini-2025-08-07", PLAIN),
        ("OpenAI", "priority | gpt-5.6-sol, output, long context", "gpt-5.6-sol", OUT),
        ("Anthropic", "claude-x:cache_creation.ephemeral_1h_input_tokens", "claude-x", WRITE),
        ("AWS", "USE1-Claude4.6Sonnet-cache-read-input-token-count", "Claude4.6Sonnet", READ),
        ("AWS", "EUC1-Claude4Sonnet-cache-write-1h-input-token-count-cross-region-global", "Claude4Sonnet", WRITE),
        ("Amazon Web Services", "USE1-Nova2.0Lite-input-tokens-flex", "Nova2.0Lite", PLAIN),
        ("AWS", "USE1-Nova2.0Lite-output-tokens", "Nova2.0Lite", OUT),
        ("Microsoft", "gpt 4.1 mini cached Inp glbl Tokens", "gpt 4.1 mini", READ),
        ("Microsoft", "GPT 5 Mini cchd Inpt Glbl 1M Tokens", "GPT 5 Mini", READ),
        ("Microsoft", "gpt 4.1 mini Batch Inp glbl Tokens", "gpt 4.1 mini", PLAIN),
        ("Microsoft", "gpt-4o-mini-0718-Outp-glbl Tokens", "gpt-4o-mini-0718", OUT),
        ("Google Cloud", "Gemini 3 Flash Text Input Caching", "Gemini 3 Flash", READ),
        ("Google Cloud", "Gemini 2.5 Flash GA Text Input - Predictions", "Gemini 2.5 Flash", PLAIN),
        ("Google Cloud", "Gemini 2.5 Flash GA Thinking Text Output - Predictions", "Gemini 2.5 Flash", OUT),
    ],
)
def test_meters_of_vendors_name_model_direction_and_cache(provider, meter, model, kind):
    assert kind_of_meter(provider, meter) == TokenKind(model, "", *kind)


@pytest.mark.parametrize(
    ("provider", "meter"),
    [
        ("OpenAI", "web search tool calls"),
        ("Google Cloud", "Gemini 3 Flash Text Input Caching Storage"),
        ("Nobody", "gpt-5, input"),
        ("OpenAI", "x" * METER_CHARS_MAX + ", input"),
    ],
)
def test_other_meters_stay_unknown(provider, meter):
    assert kind_of_meter(provider, meter) is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"direction": "sideways"}, "direction"),
        ({"cache_action": "lost"}, "cache_action"),
        ({"match": "("}, "match"),
        ({"match": "input"}, "match"),
    ],
)
def test_a_faulty_pattern_is_refused_with_its_place(change, field):
    meter = {"match": "(?P<model>.+), input", "direction": "input", "cache_action": "read"} | change
    vendors = [{"name": "v", "providers": ["v"], "meters": [meter]}]
    document = {"apiVersion": "weighbridge/v1", "kind": "TokenMeters", "vendors": vendors}
    with pytest.raises(Invalid) as caught:
        read_patterns(document)
    assert caught.value.field == f"vendors[0].meters[0].{field}"
    assert all(each.pattern.groupindex["model"] for patterns in shipped_patterns().values() for each in patterns)


@pytest.mark.parametrize(
    ("unit", "tokens"),
    [
        ("Tokens", 1),
        ("1K tokens", 1_000),
        ("1,000 Tokens", 1_000),
        ("Thousands of tokens", 1_000),
        ("1M Tokens", 1_000_000),
        ("Million Tokens", 1_000_000),
        ("MTokens", 1_000_000),
        ("Million thousand tokens", 0),
        ("Tokens per hour", 0),
        ("Hours", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_units_are_scaled(unit, tokens):
    assert tokens_per(unit) == tokens


def test_names_and_subjects():
    assert bare_name("openai/gpt-4o-2024-08-06", "2024-08-06") == "gpt-4o"
    assert (bare_name("2024-08-06", "2024-08-06"), bare_name("gpt", "other")) == ("2024-08-06", "gpt")
    assert is_same_model("openai/gpt-4.1-mini", billed="GPT 4.1 mini")
    assert is_same_model("gpt-4o", billed="x/gpt-4o-2024-08-06", snapshot="2024-08-06")
    assert not is_same_model("gpt-4o", billed="gpt-4o-mini")
    kind = with_snapshot(TokenKind("openai/gpt-4o-2024-08-06", "", *OUT))
    assert (kind.snapshot, with_snapshot(kind), with_snapshot(TokenKind("gpt-4o"))) == (
        "2024-08-06",
        kind,
        TokenKind("gpt-4o"),
    )
    offer = {"provider": "openai", "model": "gpt-4o", "snapshot": "2024-08-06", "region": "eu"}
    parsed = managed.parse({"kind": "managed", **offer, "parameters": {"top_p": 1}})
    assert subject_of(provider="OpenAI", kind=kind, region="eu") == managed.offer_digest(parsed)
    assert subject_of(provider="OpenAI", kind=TokenKind("gpt-4o"), region="eu") == ""


def lines_of(folder, *rows):
    found = aggregate(open_source(written(folder, csv_bytes(rows)), kind=FileKind.CSV))
    return found, list(found.lines.sort("meter", "direction").iter_rows(named=True))


def details(**properties):
    return json.dumps(properties)


TOKENS = {"ConsumedUnit": "Thousand Tokens", "ConsumedQuantity": "1.5", "PricingUnit": "1M tokens"}
TOKENS |= {
    "PricingQuantity": "0.0015",
    "SkuPriceDetails": "",
    "SkuMeter": "",
    "ContractedUnitPrice": "",
    "ListUnitPrice": "",
}
TOKENS |= {"x_ModelId": "", "x_TokenDirection": "", "x_ModelRequests": ""}


def test_properties_come_before_x_names_and_those_before_the_meter(tmp_path):
    named = details(ModelId="m-1", ModelVersion="v2", TokenDirection="Output", TokenCacheAction="Uncached")
    inside = details(x_ModelId="m-2", TokenDirection="Input", x_TokenCacheAction="Read", ModelVersion=[1])
    found, lines = lines_of(
        tmp_path,
        row(**TOKENS | {"SkuPriceDetails": named, "SkuMeter": "a", "x_ModelId": "ignored", "x_ModelRequests": "3"}),
        row(**TOKENS | {"SkuPriceDetails": inside, "SkuMeter": "b"}),
        row(**TOKENS | {"SkuMeter": "c", "x_ModelId": "m-3", "x_TokenDirection": "output"}),
        row(**TOKENS | {"SkuMeter": "gpt-5, input", "ProviderName": "OpenAI"}),
    )
    assert [tuple(line[name] for name in ("model", "snapshot", "direction", "cache_action")) for line in lines] == [
        ("m-1", "v2", "output", "uncached"),
        ("m-2", "", "input", "read"),
        ("m-3", "", "output", ""),
        ("gpt-5", "", "input", "uncached"),
    ]
    assert {line["tokens"] for line in lines} == {Decimal(1500)}
    assert (lines[0]["model_requests"], found.unmatched_meters) == (3, ())


def test_uncached_without_a_direction_is_never_input_and_unmatched_rows_stay_visible(tmp_path):
    odd = details(ModelId="m", TokenDirection="Sideways", TokenCacheAction="Uncached")
    found, lines = lines_of(
        tmp_path,
        row(**TOKENS | {"SkuPriceDetails": odd, "SkuMeter": "k", "BilledCost": "1"}),
        row(**TOKENS | {"SkuPriceDetails": "[1]", "SkuId": "", "BilledCost": "2"}),
        row(**TOKENS | {"SkuPriceDetails": "{", "SkuId": "", "BilledCost": "0"}),
        row(**TOKENS | {"ConsumedUnit": "Hours", "PricingUnit": "Hours", "BilledCost": "4", "SkuMeter": "hours"}),
    )
    assert found.unmatched_meters == ("", "k")
    assert sorted((line["meter"], line["direction"], line["tokens"], line["billed"]) for line in lines) == [
        ("", "", 0, 4),
        ("", "", 3000, 2),
        ("k", "", 1500, 1),
    ]
    assert "kept as unmatched: no meter, k." in " ".join(report_of(found)["notes"])


def test_the_priced_quantity_counts_where_nothing_was_consumed(tmp_path):
    _, lines = lines_of(
        tmp_path,
        row(**TOKENS | {"ConsumedUnit": "", "ConsumedQuantity": ""}),
        row(**TOKENS | {"ConsumedUnit": "", "ConsumedQuantity": "", "ChargeCategory": "Purchase"}),
    )
    assert sorted(line["tokens"] for line in lines) == [0, 1500]


def test_the_remainder_against_unit_price_x_quantity_is_kept_apart(tmp_path):
    """0.0015 x 2,000 = 3 contracted, and 0.0015 x 4,000 = 6 by list, of 8 each; nothing without a price, or tokens."""
    kinds = [details(ModelId=name, TokenDirection="Input") for name in "abcd"]
    _, lines = lines_of(
        tmp_path,
        row(**TOKENS | {"SkuPriceDetails": kinds[0], "ContractedUnitPrice": "2000", "ListUnitPrice": "1"}),
        row(**TOKENS | {"SkuPriceDetails": kinds[1], "ListUnitPrice": "4000"}),
        row(**TOKENS | {"SkuPriceDetails": kinds[2]}),
        row(**TOKENS | {"ConsumedUnit": "Hours", "PricingUnit": "Hours", "ListUnitPrice": "1", "SkuPriceDetails": ""}),
    )
    assert {line["model"]: line["remainder"] for line in lines} == {"a": 5, "b": 2, "c": 0, "": 0}
    assert {line["effective"] for line in lines} == {Decimal(8)}
