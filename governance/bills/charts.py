"""Spend as a chart: the months by team, stacked."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from governance.site.domain.charts.chart import ChartAxis, ChartMark, ChartSeries, PageChart, Point
from weighbridge.core.money import format_usd

MONTHS_MAX, TEAMS_MAX = 18, 5
UNALLOCATED, OTHERS = "", "all others"  # in the place of slugs, which have no blanks
NAMES = {UNALLOCATED: "Unallocated", OTHERS: "All others"}


def spend_chart(amounts: Iterable[tuple[date, str, str, Decimal]]) -> PageChart | None:
    """Effective cost by month, stacked by team: month, slug and name of the team ("" if unallocated) and US dollars.

    The latest months are shown, and the teams with the highest costs under their names. None for fewer than two months.
    A bar leads to the table of its month.
    """
    costs: dict[str, dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    named = dict(NAMES)
    for month, slug, name, amount in amounts:
        costs[slug][month] += amount
        named.setdefault(slug, name)
    months = sorted({month for by_month in costs.values() for month in by_month})[-MONTHS_MAX:]
    if len(months) < 2:
        return None
    ranked = sorted(costs, key=lambda team: (-sum(costs[team][month] for month in months), team))
    for team in ranked[TEAMS_MAX:]:
        for month in months:
            costs[OTHERS][month] += costs[team][month]
    shown = [*ranked[:TEAMS_MAX], *([OTHERS] if ranked[TEAMS_MAX:] else [])]
    alike = Counter(named.values())
    names = tuple(f"{month:%b %Y}" for month in months)
    series = tuple(
        ChartSeries(
            named[team] if team in NAMES or alike[named[team]] == 1 else f"{named[team]} ({team})",
            ChartMark.BAR,
            tuple(
                Point(place, float(costs[team][month]), names[place], href=f"?month={month:%Y-%m-%d}")
                for place, month in enumerate(months)
            ),
        )
        for team in shown
    )
    return PageChart(
        "spend-chart",
        "Effective cost by month and team",
        _finding(months, names, {month: sum((costs[team][month] for team in shown), Decimal(0)) for month in months}),
        ChartAxis("month", labels=names),
        ChartAxis("effective cost", "USD"),
        series,
        is_stacked=True,
    )


def _finding(months: list[date], names: tuple[str, ...], totals: dict[date, Decimal]) -> str:
    last, before = totals[months[-1]], totals[months[-2]]
    change = last - before
    text = f"{format_usd(abs(change))} {'more' if change > 0 else 'less'} than in" if change else "the same as in"
    return f"{names[-1]}: {format_usd(last)}, {text} {names[-2]}."
