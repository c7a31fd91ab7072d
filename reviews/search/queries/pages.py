"""The pages and the steps that words find, as far as the person may open and take them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.urls import reverse

from benchmarking.projections.rules import check_project
from benchmarking.runs.rules import check_register, check_register_worker
from governance.absences.rules import may_state_absence
from governance.bills.rules import may_handle_bills
from governance.budgets.rules import may_allocate_budget
from governance.operations.web.places import open_places
from governance.people.domain.roles import Person
from governance.people.rules import check_act_for_any_team, may, may_manage_people, sees_everything
from governance.rulebook.rules import may_write_rulebook
from governance.site.web import navigation
from reviews.search.domain import SearchHit
from reviews.ticket_sync.rules import may_manage_sites

may_project, may_file = may(check_project), may(check_act_for_any_team)


@dataclass(frozen=True)
class OfferedStep:
    """What a person can do: its title, the name of the page with its form, the place there, and the permission."""

    title: str
    name: str
    may: Callable[[Person], bool]
    anchor: str = ""
    kind: str = ""

    @property
    def path(self) -> str:
        """The address of the form."""
        return reverse(self.name, args=[self.kind] if self.kind else None) + (self.anchor and f"#{self.anchor}")


STEPS = (
    OfferedStep("File a request", "reviews:new", may_file),
    OfferedStep("New projection of costs", "benchmarking:costs", may_project),
    OfferedStep("Compare runs", "benchmarking:runs", may_project),
    OfferedStep("Allocate a budget", "governance:budgets", may_allocate_budget, anchor="allocate"),
    OfferedStep("Send a bill", "governance:bills", may_handle_bills, anchor="send"),
    OfferedStep(
        "Register an evaluation set", "benchmarking:dataset_new", lambda person: may(check_register)(person, team="")
    ),
    OfferedStep("State an absence", "governance:absences", lambda person: may_state_absence(person, user_id=person.id)),
    OfferedStep("Write a policy", "governance:policy_draft", may_write_rulebook, kind="policies"),
    OfferedStep("Write a checklist", "governance:policy_draft", may_write_rulebook, kind="checklists"),
    OfferedStep("Propose a role", "governance:changes", may_manage_people, anchor="propose"),
    OfferedStep("Register a worker", "benchmarking:worker_new", may(check_register_worker)),
    OfferedStep("Connect a Jira site", "reviews:ticket_site_new", may_manage_sites),
)


def pages(words: str, *, person: Person, sees_tables: bool) -> Iterator[SearchHit]:
    """The pages whose titles contain the words; `sees_tables`: see `may_see_tables`."""
    found = {entry.url: entry.label for entry in navigation.entries(path="", sees_all=sees_everything(person))}
    for place in open_places(person=person, sees_tables=sees_tables):
        found.setdefault(place.url, place.title)
    return (SearchHit(title, url) for url, title in found.items() if words.strip().lower() in title.lower())


def steps(words: str, *, person: Person) -> Iterator[SearchHit]:
    """The steps whose titles contain the words."""
    return (
        SearchHit(each.title, each.path)
        for each in STEPS
        if words.strip().lower() in each.title.lower() and each.may(person)
    )
