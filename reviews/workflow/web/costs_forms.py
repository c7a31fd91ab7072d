"""What is typed in on a request's costs."""

from django import forms

from reviews.evidence.domain.traffic_file import DIGITS_MAX, Counted, month_of

FILE_BYTES_MAX = 100_000


class TrafficForm(forms.Form):
    """The requests of a month, or a file of them."""

    month = forms.CharField(max_length=7, required=False, help_text="Written 2026-09.")
    requests = forms.IntegerField(min_value=0, max_value=10**DIGITS_MAX - 1, required=False)
    source = forms.CharField(max_length=200, required=False, help_text="Where the number comes from.")
    file = forms.FileField(label="Or a CSV file", required=False, help_text="Columns: month, requests, source.")

    def clean(self) -> None:
        """Either is there: a file that is not too large, or a month with its requests."""
        said = self.cleaned_data
        if said.get("file"):
            if said["file"].size > FILE_BYTES_MAX:
                self.add_error("file", f"The file has more than {FILE_BYTES_MAX:,} bytes.")
            return
        for name in ("month", "requests"):
            if name in said and said[name] in {None, ""}:
                self.add_error(name, f"Write the {name}, or choose a file.")

    @property
    def counted(self) -> Counted:
        """The month typed in."""
        said = self.cleaned_data
        return Counted(month_of(said["month"]), said["requests"], said["source"])
