"""`weighbridge prices` at the terminal: tables, files, exit codes, and what it says to bad input."""

import json

import pytest

from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.costs import builders
from weighbridge.costs.prices import book_options

DAY = "2026-10-30"
G5 = "aws/us-east-1/g5.xlarge"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(book_options.time, "time", lambda: 1_793_318_400)  # 2026-10-30
    builders.lab_file(tmp_path / "lab.yaml")
    builders.rates_file(tmp_path / "rates.yaml")
    builders.models_file(tmp_path / "models.json")
    return tmp_path


def told(*arguments, code=0):
    result = weighbridge("prices", *arguments)
    assert result.exit_code == code, result.output
    return result.output


def test_a_list_names_price_day_and_source_and_marks_what_is_old_or_disputed(folder):
    text = told("list", "aws/us-east-1/*g5.xlarge", "--json", "out.json")
    assert "2 prices on 2026-10-30" in text
    assert "1.4084" in text
    assert "old (634 days)" in text  # the endpoint's, of 2025-02-03
    document = json.loads((folder / "out.json").read_text())
    assert document["as_of"] == DAY
    assert {price["sku"]: price["usd"] for price in document["prices"]} == {
        G5: "1.006",
        "aws/us-east-1/ml.g5.xlarge": "1.4084",
    }
    disputed = told("list", "openai/gpt-4o-mini", "--list", "models.json")
    assert disputed.count("disputed") == 2
    assert "and 1 more; narrow the pattern" in told("list", "aws/us-east-1/*g5.xlarge", "--limit", "1")


def test_a_list_is_by_contract_where_there_is_one():
    text = told("list", G5, "--rates", "rates.yaml")
    assert "on_demand (negotiated)" in text
    assert "0.78468" in text


def test_one_sku_with_its_commitments_its_contract_and_its_list_price(folder):
    text = told("show", G5, "--rates", "rates.yaml", "--json", "out.json")
    assert "list price" in text
    assert "commit_1y_no_upfront (derived)" in text
    assert "0.68408 (0.6237-0.7243)" in text
    assert "1 x A10G" in text
    first = json.loads((folder / "out.json").read_text())["offers"][0]
    assert (first["price"]["usd"], first["price"]["list_price"]["usd"]) == ("0.78468", "1.006")
    assert (first["usd_per_gpu_h"], first["others"]) == ("0.78468", [])


def test_one_model_with_other_sources_and_its_retirement():
    text = told("show", "openai/gpt-4o-mini", "--list", "models.json")
    assert "other source" in text
    assert "retired on 2027-01-01 (LiteLLM" in text
    assert "batch input" in text
    shipped = told("show", "openai/gpt-4o-mini")
    assert "retired on 2027-01-14, successor gpt-6-luna" in shipped


def test_tiers_and_remarks_are_told():
    assert "tiers (marginal): above 100: 0.09, above 10000: 0.085" in told("show", "aws/us-east-1/egress-internet")
    assert "1.40 times the machine's list price" in told("show", "aws/us-east-1/ml.g5.xlarge")
    assert "0.625" in told("show", "lab/basement/rack-a", "--list", "lab.yaml")


def test_an_import_tells_its_faults_and_can_be_asked(folder):
    text = told("import", "litellm", "models.source", "--as-of", "2026-11-01", "--json", "again.json")
    assert "weighbridge: nobody: litellm_provider: litellm_provider is missing." in text
    assert "litellm-2026-11-01: 1 prices, 1 retirements; 1 rows rejected, 0 skipped." in text
    assert (folder / "again.json").read_text() != ""
    assert json.loads((folder / "again.json").read_text()) == json.loads((folder / "models.json").read_text())


def test_disagreements_end_with_one_and_agreement_with_zero(folder):
    text = told("disagreements", "--list", "models.json", "--json", "out.json", code=1)
    assert "1 prices that sources disagree on" in text
    assert "100.0%" in text
    (found,) = json.loads((folder / "out.json").read_text())
    assert (found["spread"], [price["usd"] for price in found["prices"]]) == ("1", ["0.15", "0.3"])
    told("disagreements", "--list", "models.json", "--tolerance", "1.5")


def test_pinned_prices_are_asked_again(folder):
    assert "prices of 2026-10-30: sha256:" in told("pin", G5, "openai/gpt-4o-mini", "--json", "pinned.json")
    assert "0 of 26 changed, 0 gone" in told("replay", "pinned.json", "--json", "out.json")
    assert json.loads((folder / "out.json").read_text())["gone"] == []
    text = told("replay", "pinned.json", "--list", "models.json", code=1)
    assert "1 of 26 changed, 0 gone" in text
    assert "+100.0%" in text
    assert "1 of 26 changed" in told("replay", "pinned.json", "--rates", "rates.yaml", "--on", "2027-01-01", code=1)


def test_a_price_that_is_gone_is_named(folder):
    told("pin", "lab/basement/rack-a", "--list", "lab.yaml", "--json", "pinned.json")
    assert "gone: lab/basement/rack-a, on_demand: The price book has no" in told("replay", "pinned.json", code=1)


def test_amounts_of_another_currency_need_rates(folder):
    text = (folder / "lab.yaml").read_text()
    (folder / "euro.yaml").write_text(text.replace("provider:", "currency: EUR, provider:"))
    rate = "{currency: EUR, usd_per_unit: 1.1, as_of: 2026-08-30, source: a bank}"
    (folder / "fx.yaml").write_text(f"{{apiVersion: weighbridge/v1, kind: FxTable, rates: [{rate}]}}")
    assert "add a dated exchange rate" in told("show", "lab/basement/rack-a", "--list", "euro.yaml", code=2)
    assert "1.375" in told("show", "lab/basement/rack-a", "--list", "euro.yaml", "--fx", "fx.yaml")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["list", "zzz/*"], "No SKU matches 'zzz/*'"),
        (["list", "--on", "today"], "'today' is not a date; write it like 2026-09-01"),
        (["show", "aws/us-east-1/g5.xlrge"], "Nearest: aws/us-east-1/g5.xlarge"),
        (["show", G5, "--max-age-days", "30"], "at most 30 are accepted"),
        (["show", G5, "--list", "none.yaml"], "none.yaml cannot be read: No such file or directory"),
        (["import", "azure", "models.json", "--json", "x.json"], "Give the day on which the list was fetched"),
        (["import", "gcp", "models.json", "--json", "x.json"], "There is no importer for 'gcp'"),
        (["import", "skypilot", "models.json", "--as-of", DAY, "--json", "x.json"], "Give the cloud of the list"),
        (["import", "aws", "none.json", "--json", "x.json"], "none.json cannot be read"),
        (["disagreements", "--tolerance", "much"], "tolerance must be an amount"),
        (["pin", "aws/x", "--json", "x.json"], "has no 'aws/x'"),
        (["replay", "models.json"], "schema must be weighbridge.prices/1"),
        (["replay", "lab.yaml"], "schema is missing"),
    ],
)
def test_bad_input_ends_with_two_and_says_what_would_do(arguments, text):
    assert text in " ".join(told(*arguments, code=2).split())
