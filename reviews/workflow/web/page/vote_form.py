"""The form of a vote."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db.models import QuerySet

from reviews.notes.domain.draft_votes import CONDITION_PARTS
from reviews.notes.web import condition_numbers
from reviews.voting.domain.electorate import VoteChoice
from reviews.voting.domain.rationales import RATIONALE_CHARS_MAX
from reviews.workflow.actions.review import CONDITION_CHARS_MAX, LiftedCondition, NewCondition
from reviews.workflow.queries.view_authorization import EarlierConditionView
from reviews.workflow.queries.view_course import VotingRightView
from reviews.workflow.web.filing_forms import PersonField
from reviews.workflow.web.step_forms import text_field

MISSING = {
    "text": "Enter what must be done.",
    "owner": "Choose the responsible person.",
    "due_on": "Enter a due date.",
}
"""What is said of each part of a condition that is not filled in."""
CHOICES = [
    (VoteChoice.APPROVE.value, "Approve"),
    (VoteChoice.REQUEST_CHANGES.value, "Request changes"),
    (VoteChoice.REJECT.value, "Reject"),
]


class VoteForm(forms.Form):
    """A vote. Approvals in the last stage may set conditions, and lift those of earlier authorizations.

    Conditions that were entered while the stage was the last are shown when it no longer is (`comes_too_early`); the
    step refuses them, so that none is lost without a word. `people` may be responsible for a condition.
    """

    stage = forms.CharField(widget=forms.HiddenInput)
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)
    choice = forms.ChoiceField(label="Your vote", choices=CHOICES, widget=forms.RadioSelect)
    rationale = text_field(
        rows=2,
        required=False,
        max_length=RATIONALE_CHARS_MAX,
        help_text="Needed to request changes, which opens a new revision, and to reject, which ends the review.",
    )

    def __init__(
        self,
        *args: Any,
        rights: Sequence[VotingRightView] = (),
        people: QuerySet[User] | None = None,
        may_condition: bool = False,
        earlier: Sequence[EarlierConditionView] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        stages = stages_to_choose(rights)
        if stages:
            # The action refuses a stage that is closed meanwhile, in its own words.
            self.fields["stage"] = forms.CharField(
                label="Stage", widget=forms.RadioSelect(choices=list(stages.items()))
            )
        if any(right.in_place_of for right in rights):
            names = {right.in_place_of: _name_words(right, is_one=not stages) for right in reversed(rights)}
            self.fields["in_place_of"] = forms.ChoiceField(
                label="Whose vote", required=False, choices=list(reversed(names.items())), widget=forms.RadioSelect
            )
        given = self.data or self.initial
        self.comes_too_early = not may_condition and _has_conditions(given)
        shows_conditions = may_condition or self.comes_too_early
        if shows_conditions and earlier:
            self.fields["lifted"] = forms.TypedMultipleChoiceField(
                label="Conditions to lift",
                required=False,
                coerce=int,
                choices=[(row.id, f"{row.text} ({row.authorization}, due {row.due_on:%-d %b %Y})") for row in earlier],
                widget=forms.CheckboxSelectMultiple,
                help_text="Open conditions of this artifact. An approval keeps those that you do not lift.",
            )
        self.numbers = condition_numbers(given) if shows_conditions else ()
        for number in self.numbers:
            self.fields[f"text_{number}"] = forms.CharField(
                label=f"Condition {number}", required=False, max_length=CONDITION_CHARS_MAX
            )
            self.fields[f"owner_{number}"] = PersonField(queryset=people, required=False, label="Responsible person")
            self.fields[f"due_on_{number}"] = forms.DateField(
                required=False, label="Due", widget=forms.DateInput(attrs={"type": "date"})
            )

    @property
    def conditions(self) -> list[tuple[forms.BoundField, ...]]:
        """The fields of each condition: text, owner and due date."""
        return [tuple(self[f"{part}_{number}"] for part in CONDITION_PARTS) for number in self.numbers]

    @property
    def has_conditions(self) -> bool:
        """Whether a field of a condition has a value, so that the page shows the fields, and nothing is cast unseen."""
        return any(field.value() for line in self.conditions for field in line)

    def clean(self) -> None:
        """Require all three fields of a condition as soon as one is filled in."""
        if self.comes_too_early:
            return
        for number in self.numbers:
            given = self._condition(number)
            for part, reason in MISSING.items():
                if any(given.values()) and not given[part] and f"{part}_{number}" not in self.errors:
                    self.add_error(f"{part}_{number}", reason)

    @property
    def new_conditions(self) -> tuple[NewCondition, ...]:
        """The conditions of a valid form."""
        given = map(self._condition, self.numbers)
        return tuple(NewCondition(**condition) for condition in given if any(condition.values()))

    @property
    def lifted_conditions(self) -> tuple[LiftedCondition, ...]:
        """The earlier conditions that a valid form lifts."""
        return tuple(map(LiftedCondition, self.cleaned_data.get("lifted", ())))

    def _condition(self, number: int) -> dict[str, Any]:
        return {part: self.cleaned_data.get(f"{part}_{number}") for part in CONDITION_PARTS}


def stages_to_choose(rights: Sequence[VotingRightView]) -> dict[str, str]:
    """The stages by title, if a person may vote in several of them in one name; otherwise the name decides."""
    names = {right.in_place_of for right in rights}
    return {right.stage: right.title for right in rights} if len(names) < len(rights) else {}


def _has_conditions(given: Mapping[str, Any]) -> bool:
    """Whether a part of a condition is filled in, or an earlier condition is chosen to be lifted."""
    named = (f"{part}_{number}" for number in condition_numbers(given) for part in CONDITION_PARTS)
    return bool(given.get("lifted")) or any(str(given.get(name) or "").strip() for name in named)


def _name_words(right: VotingRightView, *, is_one: bool) -> str:
    """In whose name a person votes, and in which stage if there `is_one` of each name."""
    words = f"In the place of {right.name}" if right.name else "Your own"
    return f"{words}: {right.title}" if is_one else words
