"""Tables of what answers of language models cost: one request, one accepted answer, an own server or an API."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from weighbridge.cli.tables.terminal import table_of
from weighbridge.core.metrics.values import brief_text
from weighbridge.costs.prices.price import amount_text
from weighbridge.costs.value.request_cost import PricedComponent, RequestCost

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.table import Table


def request_parts(cost: RequestCost) -> "Iterator[Table | str]":
    """Yield the lines of a request with formula, price, source and day, the total, and what is left out."""
    headings = ("component", "charged as", "formula", "USD", "price of", "source")
    title = f"{cost.sku}, {cost.tier}, prices on {cost.as_of}"
    left = ("component", "charged as", "formula", "price of", "source")
    yield table_of(title, headings, map(_request_row, cost.lines), text_columns=left)
    yield f"total: {amount_text(cost.total_usd)} USD"
    if cost.left_out:
        yield f"also charged by the vendor, and not in this request: {', '.join(cost.left_out)}"
    price = cost.lines[0].price if cost.lines else None
    if price is not None and price.note:
        yield f"note: {price.note}"
    if price is not None and price.retirement is not None:
        successor = f", successor {price.retirement.successor}" if price.retirement.successor else ""
        yield f"retired by its vendor on {price.retirement.on}{successor} ({price.retirement.source})"


def _request_row(line: PricedComponent) -> list[str]:
    meter = line.charge.meter.value
    return [
        line.charge.component.quantity,
        f"{meter} (no price of its own)" if line.is_general else meter,
        line.formula,
        amount_text(line.charge.usd),
        str(line.price.as_of),
        line.price.source,
    ]


LEVELS = ("middle", "p10", "p50", "p80", "p90")


def own_or_api_parts(document: "Mapping[str, Any]") -> "Iterator[Table | str]":
    """Yield the cost of a request on either side, the break-even, and both by volume with the probability."""
    own = document["own"]
    rows = [
        ["own, per request", *_amounts(own["cost_per_request_usd"])],
        *(
            [f"own, per million {own[name]['divisor']}", *_amounts(own[name])]
            for name in ("cost_per_m_output_tokens_usd", "cost_per_m_tokens_usd")
        ),
    ]
    if document["api"] is not None:
        rows.append(["API, per request", *_amounts(document["api"]["cost_per_request_usd"])])
    yield _levels_table("Own server or API, USD", rows)
    if document["break_even"] is not None:
        yield from _break_even_lines(document)
        headings = ("requests/h", "requests/month", "replicas", "own USD/month", "API USD/month", "own is cheaper")
        yield table_of("By volume", headings, map(_volume_row, document["volumes"]), text_columns=())
    yield from _closing_lines(document["prices"], document["remarks"])


def accepted_parts(document: "Mapping[str, Any]") -> "Iterator[Table | str]":
    """Yield the cost of an accepted answer of each option, which is cheapest, and the thresholds between them."""
    options = document["options"]
    rows = [[each["name"], *_amounts(each["metrics"]["cost_per_accepted_usd"])] for each in options]
    yield _levels_table("An accepted answer, USD", rows)
    headings = ("option", "a try, USD", "tries", "accepted", "wrong of them", "tries, USD", "people, USD", "wrong, USD")
    yield table_of("At the middle of all inputs", headings, map(_parts_row, options), text_columns=("option",))
    for each in options:
        if each["runs"] is not None:
            passes = ", ".join(f"{tries}: {share:.3f}" for tries, share in each["runs"]["pass_at"].items())
            yield f"{each['name']}: passes within so many tries, from repeated runs: {passes}"
    yield "cheapest: " + _shares(document["cheapest"])
    for threshold in document["thresholds"]:
        above = threshold["above_failure_usd"]
        spread = f" ({above['p10']:.4g} to {above['p90']:.4g})" if "p10" in above else ""
        yield (
            f"{threshold['option']} is cheaper than {threshold['cheaper_than']} once a failure costs more than "
            f"{above['middle']:.4g}{spread} USD"
        )
    failures = [[f"{each['failure_usd']:.4g}", _shares(each["cheapest"])] for each in document["failure_costs"]]
    yield table_of("By what a failure costs", ("USD", "cheapest"), failures, text_columns=("cheapest",))
    for each in options:
        yield from _closing_lines(each["prices"], each["remarks"])


def _levels_table(title: str, rows: "Sequence[Sequence[str]]") -> "Table":
    return table_of(title, ("", *(level.upper() if level != "middle" else level for level in LEVELS)), rows)


def _amounts(levels: "Mapping[str, Any]") -> list[str]:
    return [_amount(levels[level]) for level in LEVELS]


def _amount(text: str | None) -> str:
    """An amount with at most six digits: "0.0000123400" is "0.00001234"."""
    return "unlimited" if text is None else brief_text(Decimal(text))


def _break_even_lines(document: "Mapping[str, Any]") -> "Iterator[str]":
    found, middle = document["break_even"], document["break_even"]["middle"]
    if middle is None:
        yield "break-even at the middle of all inputs: never; the API is cheaper at every volume"
    else:
        yield (
            f"break-even at the middle of all inputs: {middle['per_h']:,.2f} requests/h, {middle['per_month']:,.0f} a "
            f"month of 730 h, {Decimal(middle['usd_per_month']):,} USD; {middle['replicas']:.0f} replicas used at "
            f"{middle['utilization']:.3f}; at every volume above {middle['stays_per_h']:,.2f} requests/h"
        )
    if found["per_h"] is not None:
        levels = ", ".join(f"{level.upper()} {volume:,.0f}" for level, volume in found["per_h"].items())
        yield f"break-even in {found['probability']:.0%} of the draws; requests/h: {levels}"
    yield f"own is cheaper at the stated utilization with probability {document['own_cheaper_probability']:.0%}"


def _volume_row(volume: "Mapping[str, Any]") -> list[str]:
    return [
        f"{volume['requests_per_h']:,.0f}",
        f"{volume['requests_per_month']:,.0f}",
        f"{volume['replicas']:.0f}",
        _amount(volume["own_usd_per_month"]["middle"]),
        _amount(volume["api_usd_per_month"]["middle"]),
        f"{volume['own_cheaper_probability']:.0%}",
    ]


def _parts_row(option: "Mapping[str, Any]") -> list[str]:
    parts = option["parts"]
    return [
        option["name"],
        _amount(option["metrics"]["cost_per_request_usd"]["middle"]),
        f"{option['attempts']['middle']:.4g}",
        f"{option['accepted_share']['middle']:.4g}",
        f"{option['wrong_among_accepted']['middle']:.4g}",
        *(_amount(parts[name]["middle"]) for name in ("tries_usd", "fallback_usd", "wrong_usd")),
    ]


def _shares(cheapest: "Mapping[str, float]") -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in cheapest.items() if share > 0)


def _closing_lines(prices: "Sequence[Mapping[str, Any]]", remarks: "Sequence[Mapping[str, Any]]") -> "Iterator[str]":
    yield from (f"{each['option']}: {each['kind']}: {each['text']}" for each in remarks)
    for price in prices:
        yield f"price: {price.get('sku') or price['path']} {price['usd']} USD of {price['as_of']}, {price['source']}"
