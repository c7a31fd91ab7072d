"""One step on a subject: an input is read, written, and answered with the subject as it then stands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.people.api.caller import asker
from governance.site.api.shapes import Answer, Input, Nothing, read_for


@dataclass(frozen=True)
class StepSubject:
    """What steps change. For an address, `find` reads what the write takes and `show` what the `answer` shows after."""

    find: Callable[..., Mapping[str, object]]
    show: Callable[..., object]
    answer: type[Answer]

    def step(
        self,
        operation_id: str,
        write: Callable[..., object],
        description: str,
        *,
        check: Callable[..., object],
        takes: type[Input] = Nothing,
        status: int = 200,
    ) -> type[APIView]:
        """The view of a step: `write` gets what `find` reads, the fields of the input, `by` and `now`.

        `check` gets the person and what `find` reads, and raises NotAllowed for whoever may not take the step at all.
        """
        find, show, answer = self.find, self.show, self.answer

        class Step(APIView):
            """A step."""

            @extend_schema(
                operation_id=operation_id, description=description, request=takes, responses={status: answer}
            )
            def post(self, request: Request, **place: Any) -> Response:
                """Take the step."""
                user, person, now = asker(request)
                found = find(person=person, **place)
                given = read_for(request, takes, lambda: check(person, **found))
                write(**found, **given, by=user, now=now)
                return Response(answer(show(person=person, now=now, **place)).data, status=status)

        return Step
