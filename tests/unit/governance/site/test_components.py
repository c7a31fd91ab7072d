"""The template tags and the small templates they feed: exact text where it matters, escaping everywhere."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.paginator import Paginator
from django.template import Context, RequestContext, Template
from django.test import RequestFactory
from django.utils import timezone

from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.values import MetricValue

SEEN_AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
P95 = MetricValue(
    name="latency_p95_ms",
    value=Decimal("12.41"),
    unit="ms",
    basis=Basis.MEASURED,
    observed_at=SEEN_AT,
    lower=Decimal("12.05"),
    upper=Decimal("12.97"),
    confidence=Decimal("0.99"),
    n=4096,
)


def shown(source: str, **context: object) -> str:
    """Render a template text; runs of white space are one space."""
    request = context.pop("request", None)
    holder = Context(context) if request is None else RequestContext(request, context, processors=[])
    return " ".join(Template("{% load weighbridge %}" + source).render(holder).split())


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ 1234.5|number }}", "1,234"),
        ("{{ 12|usd }}", "$12.00"),
        ("{{ 0.95|percent }}", "95 %"),
        ("{{ none|quantity:'ms' }}", "\N{EN DASH}"),
        ("{{ 12|quantity:'ms' }}", "12 ms"),
        ("{{ 'latency_p95_ms'|words }}", "Latency p95"),
        ("{{ 'training_gpu_hours'|words }}", "Training GPU hours"),
        ("{{ 'total_cost_1y_usd'|words }}", "Total cost 1 year"),
        ("{{ 1530000|size }}", "1.53 MB"),
        ("{% when none %}", "\N{EN DASH}"),
        ("{% moment none %}", "\N{EN DASH}"),
    ],
)
def test_filters(source, text):
    assert shown(source, none=None) == text


def test_times_carry_the_exact_moment():
    at = timezone.now() - timedelta(hours=3, minutes=1)
    assert shown("{% when at %}", at=at).endswith(">3 h ago</time>")
    assert shown("{% moment at %}", at=SEEN_AT) == (
        '<time datetime="2026-11-24T09:30:00+00:00">24 Nov 2026, 09:30 UTC</time>'
    )


def test_a_metric_value_shows_value_unit_basis_interval_and_sample():
    text = shown(
        '{% include "components/figures/metric_value.html" with metric_value=f limit=limit only %}',
        f=P95,
        limit=Decimal(100),
    )
    for part in ("12.41", ">ms<", "measured", "12.05–12.97 at 99", "n 4,096", "limit 100 ms, within", "<svg"):  # noqa: RUF001 -- a range
        assert part in " ".join(text.split())
    assert "no value" in shown('{% include "components/figures/metric_value.html" with metric_value=None only %}')


def test_a_breach_is_told_in_words():
    text = shown(
        '{% include "components/figures/interval.html" with metric_value=f limit=limit only %}',
        f=P95,
        limit=Decimal(12),
    )
    assert "not wholly within" in text
    assert "interval-breach" in text


def test_what_people_write_is_escaped():
    text = shown(
        '{% section t %}{{ t }}{% endsection %}{% badge t %}{% badge "done" word=t %}'
        '{% include "components/marks/person.html" with name=t only %}'
        '{% include "components/page/message.html" with text=t only %}'
        '{% include "components/lists/timeline.html" with events=e only %}',
        t="<script>x</script>",
        e=[SimpleNamespace(at=SEEN_AT, who="<b>", words="<i>", note="<u>")],
    )
    assert not any(tag in text for tag in ("<script", "<b>", "<i>", "<u>"))


def test_pages_keep_the_filters_of_the_address():
    request = RequestFactory().get("/requests/?q=vision&page=2")
    request.user = AnonymousUser()
    source = '{% include "components/page/pages.html" with noun="requests" %}'
    text = shown(source, page=Paginator(range(120), 50).page(2), request=request)
    assert "51–100 of 120 requests" in text  # noqa: RUF001 -- a range
    assert 'href="?q=vision&amp;page=3"' in text
    assert "0 requests" in shown(source, page=Paginator([], 50).page(1), request=request)


def test_a_refused_field_is_tied_to_its_error():
    from governance.site.web.styleguide import SpecimenForm

    form = SpecimenForm({"gpu_hours": "many"})
    text = shown('{% include "components/forms/field.html" with field=f only %}', f=form["gpu_hours"])
    assert 'aria-describedby="id_gpu_hours_helptext id_gpu_hours_error"' in text
    assert 'id="id_gpu_hours_error"' in text
    assert 'value="many"' in text


@pytest.mark.parametrize(
    ("is_booked", "said", "unsaid"),
    [
        (True, "<span>available before $60.00</span> <span><strong>after this $52.00</strong></span>", ">available $"),
        (False, "<span><strong>available $60.00</strong></span> <span>after this $52.00</span>", "available before"),
    ],
)
def test_a_committed_budget_is_not_shown_as_still_available(is_booked, said, unsaid):
    source = '{% include "components/figures/budget.html" with unit="USD" balance=balance of=60 reserved=0 only %}'
    amounts = {"allocated": 60, "committed": 0, "this": 8, "available": 60, "after": 52}
    balance = {name: Decimal(amount) for name, amount in amounts.items()}
    html = shown(source, balance=balance | {"is_booked": is_booked})
    assert said in html
    assert unsaid not in html
