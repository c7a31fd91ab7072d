"""The cost sheet of a projection document: bands, sensitivity, crossover, lines and prices."""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from weighbridge.charts.drawing import Chart
from weighbridge.charts.tables import EMPTY_CELL, Table
from weighbridge.cli.tables.terminal import number
from weighbridge.core.errors import Invalid
from weighbridge.costs.metrics import ANSWER_METRICS
from weighbridge.costs.remarks import ENDING
from weighbridge.tradeoff.charts.costs import LEVELS, TITLES, cost_bands, cost_crossover, tornado
from weighbridge.tradeoff.charts.words import name_of
from weighbridge.tradeoff.decision import Situation
from weighbridge.tradeoff.sheets.printing import print_pdf
from weighbridge.tradeoff.sheets.publishing import Print, publish
from weighbridge.tradeoff.sheets.sheet import Sheet

DECIDED = "tco_usd"
# With this probability or more, the cheapest option is clear.
CLEAR_FROM = 0.9


def cost_sheet(document: Mapping[str, Any]) -> Sheet:
    """Return the sheet of a projection document with its charts."""
    plates, appendix = tuple(_plates(document)), tuple(_appendix(document))
    return dataclasses.replace(cost_words(document), plates=plates, appendix=appendix)


def cost_words(document: Mapping[str, Any]) -> Sheet:
    """Return the sheet of a projection document without charts; it needs no chart library."""
    titles = {each["id"]: each["title"] for each in document["options"]}
    best, share = max(document["cheapest"][DECIDED].items(), key=lambda item: item[1])
    clear = Situation.CLEAR if share >= CLEAR_FROM else Situation.AMBIGUOUS
    headline = f"{titles[best]} has the lowest total cost of ownership in {share:.0%} of {document['draws']:,} draws"
    # A model that ends is no plain recommendation.
    endings = (each["text"] for each in document["remarks"] if (each["option"], each["kind"]) == (best, ENDING))
    headline = ". ".join((headline, *(text.removesuffix(".") for text in endings)))
    requests = number(document["load"]["requests_per_year"])
    return Sheet(
        title=f"What it costs: {document['name']}",
        subtitle=f"{requests} requests a year, seed {document['seed']}, prices {document['snapshot'][:19]}",
        headline=headline,
        situation=Situation.SINGLE if len(titles) == 1 else clear,
        sections=tuple((heading, found) for heading, found in _sections(document, titles) if found),
        tables=(
            ("Metrics", _metrics(document)),
            ("Lines", _lines(document)),
            ("Ranges", _ranges(document)),
            ("Prices", _prices(document)),
        ),
    )


def publish_costs(document: Mapping[str, Any], folder: Path, *, print_page: Print = print_pdf) -> str | None:
    """Write the page and its charts into the folder; return the reason if there is no PDF, else None."""
    return publish(cost_sheet(document), folder, name="costs", print_page=print_page)


def worth_sentences(document: Mapping[str, Any], titles: Mapping[str, str]) -> tuple[str, ...]:
    """Return, for each option except the baseline, a sentence on the value of its answers compared with their cost."""
    return tuple(
        f"{titles[each['option']]}: gains {_band(each['gain_usd'])} USD in a full first year for "
        f"{_band(each['extra_cost_usd'])} USD more over the years; net {_band(each['net_usd'])}; pays with a "
        f"probability of {each['pays_probability']:.0%}; keeps {each['kept_of_best_gain']['p50']:.0%} of the best gain"
        + ("; claimed, not tested." if each["is_claimed"] else ".")
        for each in document["worth"]
        if Decimal(each["gain_usd"]["p50"] or 0) or Decimal(each["extra_cost_usd"]["p50"] or 0)
    )


def _sections(document: Mapping[str, Any], titles: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield (
        "Cheapest",
        tuple(
            f"{TITLES[metric]}: " + ", ".join(f"{titles[name]} {share:.0%}" for name, share in shares.items()) + "."
            for metric, shares in document["cheapest"].items()
        ),
    )
    yield (
        "Limits",
        tuple(
            f"{titles[name]}: {each['metric']} above {number(each['above'])} with a probability of {share:.0%}."
            for each in document["thresholds"]
            for name, share in each["probability"].items()
        ),
    )
    yield "Value of better answers", worth_sentences(document, titles)
    yield "Leaving", tuple(_leaving(each) for each in document["options"] if each["lock_in"] is not None)
    yield "Remarks", tuple(_remark(each, titles) for each in document["remarks"])
    yield (
        "Business metrics",
        tuple(
            f"{each['kpi']} <- {each['metric']} to {each['target']} {each['unit']} ({each['owner']}, "
            f"{each['data_source']}; {each['effect']['method']}: {each['effect']['evidence']})."
            for each in document["kpis"]
        ),
    )


def _remark(remark: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    return f"{titles[remark['option']]}, {remark['kind']}: {remark['text']}"


def _leaving(option: Mapping[str, Any]) -> str:
    lock_in, cost = option["lock_in"], option["metrics"]["exit_cost_usd"]
    scores = "" if lock_in["scores"] is None else f", lock-in {lock_in['scores']['out_of_100']} of 100"
    day, by = lock_in["forced_migration"], lock_in["forced_by"]
    forced = "" if day is None else f"; forced by {day} ({by})"
    probability = f"with a probability of {lock_in['switch_probability']:.0%}"
    return f"{option['title']}: {_band(cost)} USD, {probability}{scores}{forced}."


def _plates(document: Mapping[str, Any]) -> Iterator[tuple[str, Chart]]:
    with contextlib.suppress(Invalid):
        yield "cost-bands", cost_bands(document)
    yield "crossover", cost_crossover(document)


def _appendix(document: Mapping[str, Any]) -> Iterator[tuple[str, Chart]]:
    for option in document["options"]:
        with contextlib.suppress(Invalid):
            yield f"tornado-{option['id']}", tornado(option)


def _metrics(document: Mapping[str, Any]) -> Table:
    rows = tuple(
        (title, each["title"], *(_amount(each["metrics"][name][level]) for level in LEVELS))
        for name, title in TITLES.items()
        for each in document["options"]
    )
    answers = tuple(
        (name_of(name), each["title"], *(_amount(each["metrics"][name][level]) for level in LEVELS))
        for name in ANSWER_METRICS
        for each in document["options"]
        if name in each["metrics"]
    )
    heads = ("metric", "option", *(level.upper() for level in LEVELS))
    return Table("Metrics in US dollars", heads, rows + answers, frozenset({2, 3, 4, 5}))


def _lines(document: Mapping[str, Any]) -> Table:
    rows = tuple(
        (each["title"], part, line["name"], _amount(line["usd"]), line["formula"])
        for each in document["options"]
        for part, costing in each["parts"].items()
        for line in costing["lines"]
        if line["usd"] not in ("0.00", "-0.00")
    )
    heads = ("option", "part", "line", "at the medians (USD)", "formula")
    return Table("Lines, every input at its median", heads, rows, frozenset({3}))


def _ranges(document: Mapping[str, Any]) -> Table:
    """Return each input with a range, its 90 % interval and its distribution."""
    shared = {"title": "all", "inputs": document["shared"], "laws": document["laws"]}
    rows = tuple(
        (each["title"], path, *map(number, each["inputs"][path]), law)
        for each in (shared, *document["options"])
        for path, law in each["laws"].items()
    )
    return Table(
        "Inputs with a range, 90 %", ("option", "input", "from", "to", "distribution"), rows, frozenset({2, 3})
    )


def _prices(document: Mapping[str, Any]) -> Table:
    rows = tuple(
        (each["path"], each.get("sku", EMPTY_CELL), each["usd"], each["unit"], each["as_of"], each["source"])
        for each in document["prices"]
    )
    return Table("Prices", ("used at", "SKU", "USD", "per", "of", "source"), rows, frozenset({2}))


def _band(levels: Mapping[str, str | None]) -> str:
    return f"{_amount(levels['p50'])} ({_amount(levels['p10'])} to {_amount(levels['p90'])})"


def _amount(text: str | None) -> str:
    return EMPTY_CELL if text is None else number(float(text))
