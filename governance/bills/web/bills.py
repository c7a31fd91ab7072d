"""Pages of bills: the list with its upload, one bill with its progress and report, and exchange rates."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance.audit.queries import trail
from governance.bills.actions import bills as writes
from governance.bills.actions import rates as rate_writes
from governance.bills.actions.bills import Delivery
from governance.bills.domain.currencies import CurrencyRate
from governance.bills.enums import BillKind
from governance.bills.models import Bill
from governance.bills.queries import bills
from governance.bills.rules import check_handle_bills, check_see_bills, may_handle_bills
from governance.exports.web import export
from governance.jobs import actions as jobs
from governance.people.web.current_user import person_of, user_of
from governance.site.queries import bounded_page
from governance.site.web.refusals import attempt, settled, show_in
from weighbridge.core.errors import Refused

PAGE_SIZE = 30


class UploadForm(forms.Form):
    """A file and its kind."""

    file = forms.FileField(
        max_length=160,
        help_text="CSV, CSV.gz or Parquet in the FOCUS format; accounting as CSV; exports as JSON lines, JSON or CSV.",
    )
    kind = forms.TypedChoiceField(label="What it is", choices=BillKind.choices, coerce=BillKind)
    cluster = forms.CharField(
        label="Cluster or account",
        required=False,
        max_length=80,
        help_text="For scheduler accounting and exports: the name of the cluster, like hpc-1, or of the account.",
    )
    refuses_existing = forms.BooleanField(
        required=False,
        label="Refuse it if a period is already on record",
        help_text="Otherwise the file replaces the data of its accounts and periods.",
    )


class RateForm(forms.Form):
    """An exchange rate."""

    currency = forms.CharField(max_length=3, help_text="Three letters, like EUR.")
    on = forms.DateField(label="On", widget=forms.DateInput(attrs={"type": "date"}))
    usd = forms.DecimalField(label="US dollars for one unit", max_digits=16, decimal_places=10)
    source = forms.CharField(max_length=200, help_text="For example: reference rate of the central bank.")


@require_http_methods(["GET", "HEAD", "POST"])
def listed(request: HttpRequest) -> HttpResponse:
    """`/bills/`: all bills with their states, and the upload form for people who handle bills."""
    person = person_of(request)
    check_see_bills(person)
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST":
        check_handle_bills(person)
        if form.is_valid() and (answer := _receive(request, form)):
            return answer
    context = {
        "page": bounded_page(bills.listed(), size=PAGE_SIZE, number=request.GET.get("page")),
        "form": form if may_handle_bills(person) else None,
    }
    return render(request, "governance/bills/bills.html", context)


@require_safe
def exported(request: HttpRequest, kind: str) -> HttpResponseBase:
    """`/bills.csv` and `.xlsx`: all bills."""
    check_see_bills(person_of(request))
    return export(bills.table(), kind=kind)


@require_safe
def rates_exported(request: HttpRequest, kind: str) -> HttpResponseBase:
    """`/exchange-rates.csv` and `.xlsx`: all exchange rates."""
    check_see_bills(person_of(request))
    return export(bills.rates_table(), kind=kind)


@require_safe
def detail(request: HttpRequest, bill_id: int) -> HttpResponse:
    """`/bills/<number>/`: progress, report, slices and unallocated amounts."""
    bill = bills.find(bill_id=bill_id, person=person_of(request))
    context = {
        "view": bills.describe(bill),
        "may_handle": may_handle_bills(person_of(request)),
        "events": trail.of_subject("bill", subject=str(bill)),
        "crumbs": (("Bills", reverse("governance:bills")), (str(bill), "")),
    }
    return render(request, "governance/bills/bill.html", context)


@require_safe
def live(request: HttpRequest, bill_id: int) -> HttpResponse:
    """The fragment that polls until the bill is read; then the page is reloaded."""
    view = bills.describe(bills.find(bill_id=bill_id, person=person_of(request)))
    answer = render(request, "governance/bills/_fragments/bill_live.html", {"view": view})
    if view.is_finished:
        answer["HX-Refresh"] = "true"
    return answer


@require_POST
def cancel(request: HttpRequest, bill_id: int) -> HttpResponse:
    """Cancel a bill."""
    return _step(request, bill_id, jobs.cancel, "is canceled and is not counted.")


@require_POST
def retry(request: HttpRequest, bill_id: int) -> HttpResponse:
    """Read a bill again."""
    return _step(request, bill_id, jobs.retry, "is queued again.")


@require_http_methods(["GET", "HEAD", "POST"])
def rates(request: HttpRequest) -> HttpResponse:
    """`/exchange-rates/`: dated exchange rates, and the form to set one."""
    person = person_of(request)
    check_see_bills(person)
    form = RateForm(request.POST) if request.method == "POST" else RateForm()
    if request.method == "POST":
        check_handle_bills(person)
        if settled(request, form, lambda: _set_rate(request, form))[0]:
            return redirect("governance:rates")
    context = {
        "page": bounded_page(bills.rates(), size=PAGE_SIZE, number=request.GET.get("page")),
        "form": form if may_handle_bills(person) else None,
        "crumbs": (("Bills", reverse("governance:bills")), ("Exchange rates", "")),
    }
    return render(request, "governance/bills/rates.html", context)


def _receive(request: HttpRequest, form: UploadForm) -> HttpResponse | None:
    given = form.cleaned_data
    upload, now = given.pop("file"), timezone.now()
    try:
        bill = writes.receive(upload=upload, delivery=Delivery(**given), by=user_of(request), now=now)
    except Refused as refusal:
        show_in(form, refusal)
        return None
    is_new = bill.created_at == now
    messages.success(request, f"{bill} is received." if is_new else f"This content was already received as {bill}.")
    return redirect("governance:bill", bill.pk)


def _set_rate(request: HttpRequest, form: RateForm) -> str:
    given = form.cleaned_data
    rate = CurrencyRate(**{**given, "currency": given["currency"].upper()})
    rate_writes.set_rate(rate=rate, by=user_of(request), now=timezone.now())
    return f"1 {rate.currency} counts as {rate.usd} USD from {rate.on} on."


def _step(request: HttpRequest, bill_id: int, take: Callable[..., Bill], done: str) -> HttpResponse:
    bill = bills.find(bill_id=bill_id, person=person_of(request))

    def act() -> str:
        take(row=bill, by=user_of(request), now=timezone.now())
        return f"{bill} {done}"

    attempt(request, act)
    return redirect("governance:bill", bill_id)
