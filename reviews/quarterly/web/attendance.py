"""The two steps of the attendance, which the page of the cycle and the meeting share."""

from typing import Any

from django.contrib.auth.models import User

from governance.people.queries.people import name_of
from reviews.quarterly.actions import meeting
from reviews.quarterly.web.cycle_forms import AttendanceForm, LeaveForm
from reviews.quarterly.web.steps import StepPage, View


def attendance_steps(page: StepPage) -> tuple[View, View]:
    """The views that record a person as present and that remove them, on this page."""
    present, removed = "{0} is recorded as present.", "{0} is removed from the attendance."
    return (
        page.step("attend", _attend, present, part="attendance", form=AttendanceForm, auto_id="attend-%s"),
        page.step("leave", _leave, removed, part="attendance", form=LeaveForm),
    )


def _attend(*, person: User, **given: Any) -> str:
    meeting.record_attendance(person=person, **given)
    return name_of(person)


def _leave(*, person: User, **given: Any) -> str:
    meeting.remove_attendance(person=person, **given)
    return name_of(person)
