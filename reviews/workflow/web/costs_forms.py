"""Forms of the costs page of a request."""

from django import forms

from reviews.evidence.domain.traffic_file import DIGITS_MAX, MonthTraffic, month_of

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
