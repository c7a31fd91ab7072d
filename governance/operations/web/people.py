"""The page of people: accounts with roles, second factor and last log-in, for those who manage them."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from governance.accounts.queries import accounts
from governance.operations.web.places import may_see_tables
from governance.people.rules import check_manage_people
from governance.people.web.current_user import person_of, user_of
from governance.site.queries import bounded_page

PAGE_SIZE = 50


class PeopleFilterForm(forms.Form):
    """Filters of the list."""

    q = forms.CharField(label="Name", required=False, widget=forms.TextInput(attrs={"type": "search"}))

    @property
    def words(self) -> str:
        """The words; "" where the field is empty or cannot be read."""
        return str(self.cleaned_data.get("q", "")) if self.is_valid() else ""


@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """`/settings/people/`: the accounts, optionally those whose names have the words of `?q=`."""
    check_manage_people(person_of(request))
    form = PeopleFilterForm(request.GET)
    context = {
        "form": form,
        "is_filtered": bool(form.words),
        "page": bounded_page(accounts(form.words), size=PAGE_SIZE, number=request.GET.get("page")),
        "sees_tables": may_see_tables(user_of(request)),
    }
    return render(request, "governance/operations/people.html", context)
