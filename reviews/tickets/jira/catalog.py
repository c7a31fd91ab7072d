"""What a person can choose at a site: projects, issue types, fields, statuses, users. It writes nothing."""

from typing import Any

from reviews.tickets.jira.client import Json, identifier, label
from reviews.tickets.jira.fields import CHOICES_MAX, FILLED_BY_US, field_choice
from reviews.tickets.jira.tracker import JiraTracker
from reviews.tickets.ports import NAME_CHARS_MAX, FieldChoice, Misconfigured, RemoteAccount, RemoteProject, TicketDraft


class JiraCatalog(JiraTracker):
    """The lists behind the settings pages, over the connection and error handling of JiraTracker."""

    def projects(self) -> tuple[RemoteProject, ...]:
        """The projects that the account sees, by key."""
        with self._asking("list its projects", write=False) as client:
            found = self.settings.flavor.projects(client)[:CHOICES_MAX]
            projects = [
                RemoteProject(identifier(entry["key"]), label(entry["name"], chars_max=NAME_CHARS_MAX))
                for entry in found
            ]
        return tuple(sorted(projects, key=lambda project: project.key))

    def issue_types(self, project: str) -> tuple[str, ...]:
        """The names of the issue types that can be created in the project; no subtasks."""
        with self._asking("list the issue types", write=False) as client:
            kinds = self.settings.flavor.issue_types(client, project)[:CHOICES_MAX]
            return tuple(label(kind["name"]) for kind in kinds if not kind.get("subtask"))

    def fields(self) -> tuple[FieldChoice, ...]:
        """The fields of the create screen of the route that Weighbridge does not fill itself, by name."""
        flavor = self.settings.flavor
        with self._asking("list the fields", write=False) as client:
            found = flavor.fields(client, self.settings.project, self._type_id(client))[:CHOICES_MAX]
            fields = [field_choice(entry, flavor) for entry in found if entry["fieldId"] not in FILLED_BY_US]
        return tuple(sorted(fields, key=lambda field: field.name.casefold()))

    def statuses(self) -> tuple[str, ...]:
        """The names of the statuses of the route's workflow."""
        wanted = self.settings.issue_type.casefold()
        with self._asking("list the statuses", write=False) as client:
            kinds = self.settings.flavor.statuses(client, self.settings.project)
            named = [kind for kind in kinds if str(kind.get("name", "")).casefold() == wanted] or kinds
            names = [label(status["name"]) for kind in named for status in kind["statuses"]]
        return tuple(dict.fromkeys(names))[:CHOICES_MAX]

    def people(self, email: str) -> tuple[RemoteAccount, ...]:
        """The users whom the site finds by the e-mail address."""
        flavor = self.settings.flavor
        with self._asking("search for the user", write=False) as client:
            found = flavor.people(client, email)[:CHOICES_MAX]
            accounts = [
                RemoteAccount(flavor.user_id(user), label(user.get("displayName", ""), chars_max=NAME_CHARS_MAX))
                for user in found
            ]
        return tuple(account for account in accounts if account.id)

    def preview(self, ticket: TicketDraft) -> Json:
        """What would be sent to open the ticket. Nothing is sent."""
        return self._payload(ticket)

    def _type_id(self, client: Any) -> str:
        for kind in self.settings.flavor.issue_types(client, self.settings.project):
            if kind["name"].casefold() == self.settings.issue_type.casefold():
                return identifier(kind["id"])
        raise Misconfigured(f"Project {self.settings.project} has no issue type {self.settings.issue_type} any more.")
