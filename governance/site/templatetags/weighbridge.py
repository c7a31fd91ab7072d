"""Template tags and filters: `{% load weighbridge %}`."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.template.context import Context
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from governance.site.web import formatting, gauges, navigation
from governance.site.web.status_badges import StatusBadge, badge_of
from weighbridge.core.metrics.standard import metric_words

register = template.Library()

ZERO = Decimal(0)
REFERENCE = re.compile(r"\b(MRR-\d{4}-\d{4,})\b")


@register.filter
def number(value: Decimal | float | str) -> str:
    """A number with grouped digits and significant decimals."""
    return formatting.format_number(Decimal(str(value)))


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
def gauge(figure: Any, claim: Any = None, limit: Decimal | None = None, comparator: str = "at_most") -> gauges.Gauge:
    """The positions of a metric value's interval, claim and limit on a scale."""
    return gauges.interval_gauge(
        value=figure.value,
        lower=figure.lower,
        upper=figure.upper,
        claim=_amount(getattr(claim, "value", claim)),
        limit=_amount(limit),
        is_upper_limit=comparator in {"at_most", "below"},
    )


@register.simple_tag
def meter(
    total: Decimal,
    committed: Decimal,
    reserved: Decimal,
    this: Decimal = ZERO,
    spent: Decimal = ZERO,
    delegated: Decimal = ZERO,
) -> tuple[gauges.MeterPart, ...]:
    """The parts of a budget as a stacked bar: delegated, billed, committed, reserved, this request."""
    parts = (
        ("delegated", delegated),
        ("spent", spent),
        ("committed", committed),
        ("reserved", reserved),
        ("this", this),
    )
    return gauges.meter_parts(total=total, parts=parts)


@register.simple_tag(takes_context=True)
def navigation_entries(context: Context) -> tuple[navigation.NavigationEntry, ...]:
    """The entries of the main navigation, with the current one marked."""
    return navigation.entries(path=context["request"].path, sees_all=bool(context.get("sees_all")))


@register.simple_tag(takes_context=True)
def menu_entries(context: Context) -> tuple[navigation.NavigationEntry, ...]:
    """The entries of the user menu, with the current one marked."""
    told = {name: bool(context.get(name)) for name in ("may_read_trail", "may_read_changes")}
    return navigation.menu_entries(path=context["request"].path, **told)


@register.simple_block_tag
def section(content: str, title: str, anchor: str = "", note: str = "", kind: str = "") -> str:
    """A titled part of a page: `{% section "Runs" anchor="runs" note="3 done" kind="flush" %}…{% endsection %}`."""
    context = {"title": title, "anchor": anchor, "note": note, "kind": kind, "content": content}
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
