"""Template tags and filters: `{% load weighbridge %}`."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django import template
from django.template.context import Context
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from governance.site.domain import glossary
from governance.site.domain.charts import metric_scales, sparklines
from governance.site.domain.charts.chart import PageChart
from governance.site.domain.charts.metric_scales import MetricScale
from governance.site.web import formatting, gauges, marks, navigation
from governance.site.web.charts.pictures import picture_of
from governance.site.web.status_badges import StatusBadge, badge_of
from weighbridge.core.metrics.standard import metric_words

register = template.Library()
register.simple_tag(marks.icon)
register.simple_tag(marks.badge)

ZERO = Decimal(0)
REFERENCE = re.compile(r"\b(MRR-\d{4}-\d{4,})\b")


@register.filter
def number(value: Decimal | float | str, decimals: int | None = None) -> str:
    """A number with grouped digits and significant decimals, or so many `decimals`."""
    return formatting.format_number(Decimal(str(value)), decimals=decimals)


@register.filter
def usd(value: Decimal | int | str) -> str:
    """An amount of US dollars."""
    return formatting.format_usd(Decimal(value))


@register.filter
def quantity(value: Decimal | int | str | None, unit: str) -> str:
    """A number with its unit; a dash for None."""
    return "\N{EN DASH}" if value is None else formatting.format_quantity(Decimal(value), unit=unit)


@register.filter
def exact(amount: Decimal | int | str, unit: str) -> str:
    """An amount of a ledger, to the cent."""
    return formatting.format_exact(Decimal(amount), unit=unit)


@register.filter
def percent(value: Decimal | float | str) -> str:
    """0.95 -> "95 %"."""
    return formatting.format_quantity(Decimal(str(value)), unit="ratio")


register.filter("size", formatting.format_size)
register.filter("short_digest", formatting.short_digest)
register.filter("initials", formatting.initials)
register.filter("unit_words", formatting.unit_words)


@register.filter
def words(slug: str) -> str:
    """ "latency_p95_ms" -> "Latency p95", "gpu_h" -> "GPU h": a name from the catalog or a slug, readable."""
    return metric_words(str(slug))


@register.filter
def spaced(slug: str) -> str:
    """ "changes_requested" -> "changes requested": a slug as words of a sentence."""
    return str(slug).replace("_", " ")


@register.filter
def event_words(kind: str) -> str:
    """ "model.version_registered" -> "Model version registered": the kind of an audit event, readable."""
    return str(kind).replace(".", " ").replace("_", " ").capitalize()


@register.filter
def linked(text: str) -> SafeString:
    """A sentence in which each reference of a request is a link to its page."""
    parts = enumerate(REFERENCE.split(text))
    return format_html_join("", "{}", ((_link_to(part) if at % 2 else part,) for at, part in parts))


@register.filter
def with_code(text: str) -> SafeString:
    """A sentence of the documentation: what stands between backticks as code."""
    parts = enumerate(text.split("`"))
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", part) if at % 2 else part,) for at, part in parts)
    )


def _link_to(ref: str) -> SafeString:
    return format_html('<a href="{}">{}</a>', reverse("reviews:detail", args=[ref]), ref)


@register.simple_tag
def when(at: datetime | None) -> str | SafeString:
    """A moment as `<time>`: the relative time, with the exact UTC time in its title."""
    if at is None:
        return "\N{EN DASH}"
    ago = formatting.format_ago(at, now=timezone.now())
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), formatting.format_moment(at), ago)


@register.simple_tag
def moment(at: datetime | None) -> str | SafeString:
    """A moment as `<time>`, as UTC date and time."""
    if at is None:
        return "\N{EN DASH}"
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), formatting.format_moment(at))


@register.simple_tag
def status_badge(state: str) -> StatusBadge:
    """Tone, shape and word of a state."""
    return badge_of(str(state))


@register.simple_tag
def value_text(figure: Any, bound: str = "value") -> str:
    """The number of a metric value, or its "lower" or "upper" bound, with the digits that its interval justifies."""
    return formatting.shown_value(
        figure.value, unit=figure.unit, lower=figure.lower, upper=figure.upper, bound=getattr(figure, bound)
    )


register.filter("shown_unit", formatting.shown_unit)


def _amount(value: Decimal | int | str | None) -> Decimal | None:
    """A number from a template; an empty text becomes None."""
    return None if value is None or value == "" else Decimal(value)


@register.simple_tag
def gauge(
    figure: Any,
    claim: Any = None,
    limit: Decimal | None = None,
    comparator: str = "at_most",
    beside: Iterable[Any] | None = None,
) -> gauges.Gauge:
    """The positions of a metric value's interval, claim and limit on a scale, which the values `beside` it share."""
    ends = (end for one in beside or () if one is not None for end in (one.value, one.lower, one.upper))
    return gauges.interval_gauge(
        value=figure.value,
        lower=figure.lower,
        upper=figure.upper,
        claim=_amount(getattr(claim, "value", claim)),
        limit=_amount(limit),
        comparator=comparator,
        is_share=figure.unit == "ratio",
        beside=[end for end in ends if end is not None],
    )


@register.inclusion_tag("components/figures/metric_rows.html")
def metric_rows(metrics: Iterable[MetricScale]) -> dict[str, Any]:
    """Metrics on common scales, a row for each: `{% metric_rows scales %}`; works without JavaScript."""
    return {"rows": metric_scales.metric_rows(metrics)}


@register.simple_tag
def chart(described: PageChart | None) -> str:
    """A chart with its finding, its key and its table: `{% chart costs %}`; charts.js makes it interactive."""
    return "" if described is None else _drawn(described)


@lru_cache(maxsize=256)  # drawing takes half the time of a page with a chart, and depends on the description alone
def _drawn(described: PageChart) -> SafeString:
    return render_to_string("components/figures/charts/drawn_chart.html", {"picture": picture_of(described)})


@register.inclusion_tag("components/figures/sparkline.html")
def sparkline(history: Sequence[tuple[str, float, Decimal]], target: Decimal, unit: str) -> dict[str, Any]:
    """A line in a table cell: `{% sparkline history target unit %}`; triples of name, position and value."""
    said = ", ".join(f"{name} {formatting.format_number(value)} {unit}" for name, _, value in history)
    line = sparklines.sparkline([(place, value) for _, place, value in history], target=target)
    return {"line": line, "words": f"{said}; target {formatting.format_number(target)} {unit}"}


@register.simple_tag
def scale_text(metric: MetricScale, number: Decimal) -> str:
    """A number of a metric scale with its unit, to the digits that its interval justifies."""
    low, high = metric.interval or (None, None)
    text = formatting.shown_value(number, unit=metric.unit, lower=low, upper=high)
    return f"{text}{formatting.GAP}{formatting.shown_unit(metric.unit)}".rstrip()


@register.simple_tag
def meter(
    total: Decimal,
    committed: Decimal,
    reserved: Decimal,
    this: Decimal = ZERO,
    spent: Decimal = ZERO,
    delegated: Decimal = ZERO,
    reach: Decimal | None = None,
) -> gauges.BudgetMeter:
    """The parts of a budget as a stacked bar: delegated, billed, committed, reserved, this request.

    `reach` is how many budgets the bar is wide, which makes the bars of a page comparable.
    """
    parts = (
        ("delegated", delegated),
        ("spent", spent),
        ("committed", committed),
        ("reserved", reserved),
        ("this", this),
    )
    return gauges.meter_parts(total=total, parts=parts, reach=reach or Decimal(1))


@register.inclusion_tag("components/marks/term.html")
def term(name: str) -> dict[str, Any]:
    """A `?` beside a term, which shows its meaning: `{% term "basis" %}`. The glossary must have the name."""
    return {"term": glossary.term_of(name), "name": name}


@register.simple_tag(takes_context=True)
def navigation_entries(context: Context) -> tuple[navigation.NavigationEntry, ...]:
    """The entries of the main navigation, with the current one marked."""
    return navigation.entries(path=context["request"].path, sees_all=bool(context.get("sees_all")))


@register.simple_block_tag
def section(content: str, title: str, anchor: str = "", note: str = "", kind: str = "", term: str = "") -> str:
    """A titled part of a page: `{% section "Runs" anchor="runs" note="3 done" kind="flush" %}…{% endsection %}`.

    `term` is the name of the glossary that the title needs.
    """
    context = {"title": title, "anchor": anchor, "note": note, "kind": kind, "term": term, "content": content}
    return render_to_string("components/page/section.html", context)


@register.simple_block_tag
def empty_state(content: str, title: str, icon: str = "", href: str = "", action: str = "") -> str:
    """The placeholder for an empty list: `{% empty_state "No run" icon="queue" %}…{% endempty_state %}`."""
    context = {"title": title, "text": content, "icon": icon, "href": href, "action": action}
    return render_to_string("components/page/empty.html", context)


@register.simple_block_tag
def rows(content: str, label: str, *columns: str) -> str:
    """A table of rows, each with a link: `{% rows "Runs" "Run" "State" %}<tr>…</tr>{% endrows %}`."""
    return render_to_string("components/lists/rows.html", {"label": label, "columns": columns, "content": content})


@register.simple_block_tag
def message(content: str, title: str = "", tone: str = "info", **more: str | bool) -> str:
    """A highlighted message: `{% message "The run failed." tone="bad" %}…{% endmessage %}`."""
    return render_to_string("components/page/message.html", {"title": title, "text": content, "tone": tone, **more})
