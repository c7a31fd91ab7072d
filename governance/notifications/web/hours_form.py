"""The fields of hours, which people and the channels of teams set alike."""

from zoneinfo import available_timezones

from django import forms

from governance.notifications.domain.hours import MailHours

HOURS = [(hour, f"{hour:02}:00") for hour in range(24)]
ZONES = [(name, name) for name in sorted(available_timezones())]


class HoursForm(forms.Form):
    """The hour of the daily digest and the quiet hours, in a time zone."""

    time_zone = forms.ChoiceField(label="Time zone", choices=ZONES)
    digest_hour = forms.TypedChoiceField(label="Daily mail at", choices=HOURS, coerce=int)
    quiet_from = forms.TypedChoiceField(label="Quiet from", choices=HOURS, coerce=int)
    quiet_to = forms.TypedChoiceField(
        label="Quiet until", choices=HOURS, coerce=int, help_text="Equal hours mean no quiet hours."
    )

    def hours(self) -> MailHours:
        """The chosen hours."""
        return MailHours(**{name: self.cleaned_data[name] for name in vars(MailHours())})
