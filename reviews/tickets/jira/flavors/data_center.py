"""Jira Data Center, from version 9: API version 2, wiki markup, users by key."""

from collections.abc import Sequence
from typing import Any, ClassVar

from reviews.tickets.jira.flavors import wiki
from reviews.tickets.jira.flavors.flavor import Api, Flavor, Json, Page, Version, paged, part, short_id
from reviews.tickets.ports import Block

OLDEST: Version = (9, 0)
SIGNS_WEBHOOKS: Version = (10, 0)
UNSIGNED = (
    "This version of Jira does not sign its webhooks, so Weighbridge accepts none from it. Unless the regular "
    "comparison is off, it compares the tickets with Jira each hour instead. Jira Data Center signs webhooks from "
    "version 10."
)


class DataCenter(Flavor):
    """Jira Data Center. `serverInfo` calls it Server, as it did the product before."""

    key: ClassVar[str] = "data_center"
    name: ClassVar[str] = "Jira Data Center"
    api_version: ClassVar[str] = "2"
    deployments: ClassVar[frozenset[str]] = frozenset({"server", "data center", "datacenter"})

    def document(self, blocks: tuple[Block, ...]) -> Any:
        """Wiki markup."""
        return wiki.document(blocks)

    def marked_document(self, blocks: tuple[Block, ...], *, marker: str) -> Any:
        """Wiki markup with the marker."""
        return wiki.marked_document(blocks, marker=marker)

    def prose(self, body: Any) -> str:
        """The text of wiki markup."""
        return wiki.prose(body)

    def user_id(self, user: Json) -> str:
        """The key, which stays when the user is renamed; the name for an answer without it."""
        return short_id(user.get("key") or user.get("name") or "")

    def search(self, api: Api, jql: str, *, fields: list[str], results_max: int) -> list[Json]:
        """The search with a start and a total."""
        return self._search(api, jql, fields=fields, results_max=results_max)

    def issues(self, api: Api, ids: Sequence[str], *, fields: list[str]) -> list[Json]:
        """By search without validation: a validated query refuses ids that are gone."""
        if not ids:
            return []
        jql = f"id in ({', '.join(str(int(each)) for each in ids)})"
        return self._search(api, jql, fields=fields, results_max=len(ids), validateQuery=False)

    def changes(self, ticket_path: str) -> Page:
        """Inside the ticket, all at once."""
        return Page(ticket_path, "histories", (("expand", "changelog"), ("fields", "updated")), inside="changelog")

    def projects(self, api: Api) -> list[Json]:
        """All in one list."""
        return api.get_list("project")

    def issue_types(self, api: Api, project: str) -> list[Json]:
        """A page of `values`."""
        return paged(api, f"issue/createmeta/{part(project)}/issuetypes", "values")

    def fields(self, api: Api, project: str, type_id: str) -> list[Json]:
        """A page of `values`."""
        return paged(api, f"issue/createmeta/{part(project)}/issuetypes/{part(type_id)}", "values")

    def people(self, api: Api, email: str) -> list[Json]:
        """By `username`, which also matches the e-mail address."""
        return api.get_list("user/search", username=email)

    def signs_webhooks(self, version: Version) -> bool:
        """From version 10."""
        return version >= SIGNS_WEBHOOKS

    def limits(self, version: Version) -> tuple[str, ...]:
        """Before version 10, webhooks have no secret."""
        if self.signs_webhooks(version):
            return ()
        return (UNSIGNED,)

    def refusal(self, version: Version) -> str:
        """Older versions lack the lists of issue types and fields that Weighbridge reads."""
        if version >= OLDEST:
            return ""
        return "Weighbridge supports Jira Data Center from version 9: upgrade this Jira first."

    def _search(self, api: Api, jql: str, *, fields: list[str], results_max: int, **more: Any) -> list[Json]:
        query = {"jql": jql, "startAt": 0, "maxResults": results_max, "fields": fields, **more}
        found: list[Json] = api.post_json("search", query)["issues"]
        return found
