"""The tab of the bills of a request: projected, measured and billed costs, and the projection as FOCUS rows."""

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from governance.exports.web import export
from governance.people.web.current_user import person_of, user_of
from governance.site.web.refusals import settled
from reviews.evidence.actions import supply_traffic
from reviews.evidence.domain.month_chart import month_chart
from reviews.evidence.domain.traffic_file import DIGITS_MAX, MonthTraffic, month_of, read_traffic
from reviews.evidence.queries import comparison, comparison_tokens
from reviews.requests.models import ReviewRequest
from reviews.scorecard.rules import may_edit_scorecard
from reviews.workflow.domain.tabs import Tab
from reviews.workflow.web.page.content import context_of
from reviews.workflow.web.page.views import load

FILE_BYTES_MAX = 100_000


class TrafficForm(forms.Form):
    """The number of requests the model answered in a month, or a CSV file of such numbers."""

    month = forms.CharField(max_length=7, required=False, help_text="Format: 2026-09.")
    requests = forms.IntegerField(min_value=0, max_value=10**DIGITS_MAX - 1, required=False)
    source = forms.CharField(max_length=200, required=False, help_text="The source of the number.")
    file = forms.FileField(label="Or a CSV file", required=False, help_text="Columns: month, requests, source.")

    def clean(self) -> None:
        """Require a file within the size limit, or a month with its number of requests."""
        data = self.cleaned_data
        if data.get("file"):
            if data["file"].size > FILE_BYTES_MAX:
                self.add_error("file", f"The file has more than {FILE_BYTES_MAX:,} bytes.")
            return
        for name in ("month", "requests"):
            if name in data and data[name] in {None, ""}:
                self.add_error(name, f"Enter the {name}, or choose a file.")

    @property
    def month_traffic(self) -> MonthTraffic:
        """The month entered in the form."""
        data = self.cleaned_data
        return MonthTraffic(month_of(data["month"]), data["requests"], data["source"])


@require_http_methods(["GET", "HEAD", "POST"])
def detail(request: HttpRequest, ref: str) -> HttpResponse:
    """`/requests/<ref>/bills/`: compare costs by month. POST adds the request count of a month, or a CSV file."""
    review = load(request, ref)
    form, status = TrafficForm(request.POST or None, request.FILES or None), 200
    if request.method == "POST":
        done, status = settled(request, form, lambda: _supply(request, review, form))
        if done:
            return redirect("reviews:bills", ref)
    compared = comparison.compare_costs(request=review, now=timezone.now())
    may_supply = may_edit_scorecard(person_of(request), team=review.team.slug)
    own = {"review": review, "comparison": compared, "form": form, "may_supply": may_supply}
    own |= {"month_chart": month_chart(compared.months)}
    context = context_of(request, review, tab=Tab.BILLS) | own
    return render(request, "reviews/workflow/tabs/bills.html", context, status=status)


def _supply(request: HttpRequest, review: ReviewRequest, form: TrafficForm) -> str:
    data = form.cleaned_data
    months = read_traffic(data["file"].read()) if data["file"] else (form.month_traffic,)
    channel = "csv" if data["file"] else "form"
    supply_traffic(request=review, months=months, channel=channel, by=user_of(request), now=timezone.now())
    return "The request counts are saved. The table shows how they explain the difference of each month."


@require_safe
def export_costs(request: HttpRequest, ref: str, kind: str) -> HttpResponseBase:
    """`/requests/<ref>/bills.csv` and `.xlsx`."""
    review = load(request, ref)
    return export(
        comparison.table(comparison.compare_costs(request=review, now=timezone.now()), request=review), kind=kind
    )


@require_safe
def export_tokens(request: HttpRequest, ref: str, kind: str) -> HttpResponseBase:
    """`/requests/<ref>/token-costs.csv` and `.xlsx`."""
    review = load(request, ref)
    compared = comparison.compare_costs(request=review, now=timezone.now())
    return export(comparison_tokens.table(compared.tokens, ref=ref), kind=kind)
