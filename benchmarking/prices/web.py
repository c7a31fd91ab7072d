"""The page of prices: what things cost, since when, and who says so; and what the organization published beside it."""

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from benchmarking.prices import actions as writes
from benchmarking.prices import queries as prices
from benchmarking.prices.models import PriceSource
from benchmarking.prices.rules import check_price
from governance.people.web.current_user import person_of, user_of
from governance.site.web.refusals import attempt
from weighbridge.core.errors import Refused
from weighbridge.costs.prices.book import STALE_DAYS, PriceBook
from weighbridge.costs.prices.files.exact_yaml import LARGEST_BYTES
from weighbridge.costs.prices.price import Meter, Price, PriceUnit, amount_text
from weighbridge.costs.prices.published import read_published

PAGE_SIZE = 50
UNITS = {
    PriceUnit.INSTANCE_H: "machine hour",
    PriceUnit.GPU_H: "GPU hour",
    PriceUnit.GB_MONTH: "GB and month",
    PriceUnit.GB: "GB",
}


class PriceFilterForm(forms.Form):
    """What the list can be narrowed to."""

    q = forms.CharField(
        label="SKU, * stands for anything",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search"}),
    )


class SourceForm(forms.Form):
    """A price list or a contract as a file."""

    file = forms.FileField(label="Price list or contract", help_text="YAML by hand, or what an import wrote as JSON.")


class WithdrawalForm(forms.Form):
    """Which source, and why."""

    source = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(max_length=writes.REASON_CHARS_MAX)


@require_safe
def shown(request: HttpRequest) -> HttpResponse:
    """`/prices/`: the prices that fit `q`, fifty a page, and the sources."""
    return render(request, "benchmarking/prices/prices.html", _context(request))


@require_POST
def publish(request: HttpRequest) -> HttpResponse:
    """Publish a file."""
    form = SourceForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, "benchmarking/prices/prices.html", _context(request) | {"form": form}, status=422)

    def act() -> str:
        text = form.cleaned_data["file"].read(LARGEST_BYTES + 1).decode(errors="replace")
        source = writes.publish(text=text, by=user_of(request), now=timezone.now())
        return f"{source.name} holds from now on; what was pinned before stays as it was."

    attempt(request, act)
    return redirect("benchmarking:prices")


@require_POST
def withdraw(request: HttpRequest) -> HttpResponse:
    """Let a source hold no longer."""
    form = WithdrawalForm(request.POST)
    if not form.is_valid():
        return render(request, "benchmarking/prices/prices.html", _context(request) | {"withdrawal": form}, status=422)
    given = form.cleaned_data
    source = get_object_or_404(PriceSource, pk=given["source"])

    def act() -> str:
        writes.withdraw(source=source, reason=given["reason"], by=user_of(request), now=timezone.now())
        return f"{source.name} holds no longer."

    attempt(request, act)
    return redirect("benchmarking:prices")


def _context(request: HttpRequest) -> dict[str, Any]:
    form = PriceFilterForm(request.GET)
    wanted = form.cleaned_data.get("q", "") if form.is_valid() else ""
    book = prices.price_book(timezone.now().date())
    page = Paginator(prices.matching(book=book, wanted=wanted), PAGE_SIZE).get_page(request.GET.get("page"))
    apart = {each.key for each in book.disagreements()}
    return {
        "book": book,
        "filter": form,
        "is_filtered": bool(wanted),
        "page": page,
        "rows": [_row(price, book, apart) for price in page.object_list],
        "sources": [(source, read_published(source.content)) for source in prices.current()],
        "form": SourceForm(),
        "cannot_publish": _why_not(request),
    }


def _row(price: Price, book: PriceBook, apart: set[Any]) -> dict[str, Any]:
    per_gpu, age = price.usd_per_gpu_h, price.age_days(book.as_of)
    return {
        "price": price,
        "meter": "" if price.meter is Meter.WHOLE else price.meter.replace("_", " "),
        "term": price.term.replace("_", " "),
        "unit": UNITS.get(price.unit, price.unit.replace("_", " ")),
        "usd": amount_text(price.usd),
        "list_usd": amount_text(price.list_price.usd) if price.list_price else "",
        "per_gpu": "" if per_gpu is None else f"{per_gpu:.3f}",
        "age": age if age > STALE_DAYS else 0,
        "others": _others(price, book) if price.key in apart else [],
        "retirement": book.retirements.get(price.sku),
    }


def _others(price: Price, book: PriceBook) -> list[Price]:
    """What other sources say, beside the list price of this row."""
    listed = price.list_price or price
    opinions = book.opinions(price.sku, term=price.term, meter=price.meter)
    return [other for other in opinions if other.usd != listed.usd]


def _why_not(request: HttpRequest) -> str:
    try:
        check_price(person_of(request))
    except Refused as refusal:
        return refusal.reason
    return ""
