"""One step on a page: a form is read, written, and followed by the page as it then stands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from governance.people.web.current_user import person_of, user_of
from governance.site.web.refusals import settled
from governance.site.web.undo import Undoable
from reviews.workflow.web.step_forms import PlainForm

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class StepPage:
    """The page of some steps. For an address, `find` reads what the write takes, and `follow` answers with the page; it
    gets the status 200 if the step was taken. `check` raises for a person who may not take any of the steps, whatever
    the form says.
    """

    find: Callable[..., Mapping[str, object]]
    follow: View
    check: Callable[..., None]

    def step(
        self,
        name: str,
        write: Callable[..., object],
        message: str,
        *,
        part: str = "",
        form: type[forms.Form] = PlainForm,
        auto_id: str = "id_%s",
        undo: str = "",
    ) -> View:
        """The view of a step: `write` gets what `find` reads, the fields of the form, `by` and `now`.

        `message` may show what `write` returns as {0}, and the fields of the form by name. `part` of the page is shown
        after it. `undo` names the function that undoes the step and gets the parts of the address.
        """

        @require_POST
        def view(request: HttpRequest, **place: Any) -> HttpResponse:
            subject, filled = self.find(request, **place), form(request.POST, auto_id=auto_id.format(**place))

            self.check(person_of(request), **subject)

            def act() -> str:
                result = write(**subject, **filled.cleaned_data, by=user_of(request), now=timezone.now())
                sentence = message.format(result, **filled.cleaned_data)
                return Undoable(sentence, step=undo, **place) if undo else sentence

            _, status = settled(request, filled, act)
            return self.follow(request, filled, status, name=name, part=part, **place)

        return view
