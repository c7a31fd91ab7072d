"""The prices page: all prices in force with their dates and sources, and the sources of the organization."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from benchmarking.prices import actions as writes
from benchmarking.prices import queries as prices
from benchmarking.prices.models import PriceSource
from benchmarking.prices.rules import check_price
from governance.people.domain.reasons import REASON_CHARS_MAX
from governance.people.web.current_user import person_of, user_of
from governance.site.queries import bounded_page
from governance.site.web.formatting import format_number
from governance.site.web.refusals import attempt, refusal_of
from weighbridge.costs.prices.book import STALE_DAYS, PriceBook
from weighbridge.costs.prices.files.exact_yaml import LARGEST_BYTES
from weighbridge.costs.prices.price import Meter, Price, PriceUnit, amount_text
from weighbridge.costs.prices.published import read_published

PAGE_SIZE = 50
UNITS = {
    PriceUnit.INSTANCE_H: "machine hour",
    PriceUnit.GPU_H: "GPU hour",
    PriceUnit.GB_MONTH: "GB-month",
    PriceUnit.GB: "GB",
}


class PriceFilterForm(forms.Form):
    """The filter of the price list."""

    q = forms.CharField(
        label="SKU (* matches any text)",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search"}),
    )


class SourceForm(forms.Form):
    """A price list or a contract as a file."""

    file = forms.FileField(label="Price list or contract", help_text="A YAML file, or the JSON file of an import.")


class WithdrawalForm(forms.Form):
    """The source to withdraw and the reason."""

    source = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(max_length=REASON_CHARS_MAX)


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """`/prices/`: the prices that match `q`, fifty per page, and the published sources."""
    return render(request, "benchmarking/prices/prices.html", _context(request))


@require_POST
def publish(request: HttpRequest) -> HttpResponse:
    """Publish the uploaded price list or contract."""
    check_price(person_of(request))
    form = SourceForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, "benchmarking/prices/prices.html", _context(request) | {"form": form}, status=400)

    def act() -> str:
        text = form.cleaned_data["file"].read(LARGEST_BYTES + 1).decode(errors="replace")
        source = writes.publish(text=text, by=user_of(request), now=timezone.now())
        return f"{source.name} is now in force. Prices that were pinned before do not change."

    attempt(request, act)
    return redirect("benchmarking:prices")


@require_POST
def withdraw(request: HttpRequest) -> HttpResponse:
    """Withdraw a source."""
    check_price(person_of(request))
    form = WithdrawalForm(request.POST)
    if not form.is_valid():
        return render(request, "benchmarking/prices/prices.html", _context(request) | {"withdrawal": form}, status=400)
    given = form.cleaned_data
    source = get_object_or_404(PriceSource, pk=given["source"])

    def act() -> str:
        writes.withdraw(source=source, reason=given["reason"], by=user_of(request), now=timezone.now())
        return f"{source.name} is withdrawn."

    attempt(request, act)
    return redirect("benchmarking:prices")


def _context(request: HttpRequest) -> dict[str, Any]:
    form = PriceFilterForm(request.GET)
    search = form.cleaned_data.get("q", "") if form.is_valid() else ""
    book = prices.price_book(timezone.now().date())
    page = bounded_page(prices.search_prices(book=book, wanted=search), size=PAGE_SIZE, number=request.GET.get("page"))
    disputed = {disagreement.key for disagreement in book.disagreements()}
    return {
        "book": book,
        "filter": form,
        "is_filtered": bool(search),
        "page": page,
        "rows": [_row(price, book, disputed) for price in page.object_list],
        "sources": [(source, read_published(source.content)) for source in prices.sources_in_force()],
        "form": SourceForm(),
        "cannot_publish": refusal_of(lambda: check_price(person_of(request))),
    }


def _row(price: Price, book: PriceBook, disputed: set[Any]) -> dict[str, Any]:
    per_gpu, age = price.usd_per_gpu_h, price.age_days(book.as_of)
    return {
        "price": price,
        "meter": "" if price.meter is Meter.WHOLE else price.meter.replace("_", " "),
        "term": price.term.replace("_", " "),
        "unit": UNITS.get(price.unit, price.unit.replace("_", " ")),
        "usd": amount_text(price.usd),
        "list_usd": amount_text(price.list_price.usd) if price.list_price else "",
        "per_gpu": "" if per_gpu is None else format_number(per_gpu, decimals=3),
        "age": age if age > STALE_DAYS else 0,
        "others": _others(price, book) if price.key in disputed else [],
        "retirement": book.retirements.get(price.sku),
    }


def _others(price: Price, book: PriceBook) -> list[Price]:
    """Return the prices of other sources that differ from the list price of this row."""
    listed = price.list_price or price
    opinions = book.opinions(price.sku, term=price.term, meter=price.meter)
    return [other for other in opinions if other.usd != listed.usd]
