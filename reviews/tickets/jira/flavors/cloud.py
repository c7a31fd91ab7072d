"""Jira Cloud: API version 3, the Atlassian Document Format, users by account id."""

from collections.abc import Sequence
from typing import Any, ClassVar

from reviews.tickets.domain.field_values import FieldKind
from reviews.tickets.jira.flavors import adf
from reviews.tickets.jira.flavors.flavor import Api, Flavor, Json, Page, Version, paged, part, short_id
from reviews.tickets.ports import Block

TEXT_AREA, ENVIRONMENT = ":textarea", "environment"


class Cloud(Flavor):
    """Jira Cloud has one version: the present one."""

    key: ClassVar[str] = "cloud"
    name: ClassVar[str] = "Jira Cloud"
    api_version: ClassVar[str] = "3"
    deployments: ClassVar[frozenset[str]] = frozenset({"cloud"})

    def document(self, blocks: tuple[Block, ...]) -> Any:
        """ADF."""
        return adf.document(blocks)

    def marked_document(self, blocks: tuple[Block, ...], *, marker: str) -> Any:
        """ADF with the marker."""
        return adf.marked_document(blocks, marker=marker)

    def prose(self, body: Any) -> str:
        """The text of ADF."""
        return adf.prose(body)

    def user_id(self, user: Json) -> str:
        """The account id."""
        return short_id(user.get("accountId", ""))

    def search(self, api: Api, jql: str, *, fields: list[str], results_max: int) -> list[Json]:
        """The token-paged search (the older one was removed in August 2025)."""
        found: list[Json] = api.post_json("search/jql", {"jql": jql, "fields": fields, "maxResults": results_max})[
            "issues"
        ]
        return found

    def issues(self, api: Api, ids: Sequence[str], *, fields: list[str]) -> list[Json]:
        """In bulk, 100 at most."""
        found: list[Json] = api.post_json("issue/bulkfetch", {"issueIdsOrKeys": list(ids), "fields": fields})["issues"]
        return found

    def changes(self, ticket_path: str) -> Page:
        """A paged list of its own."""
        return Page(f"{ticket_path}/changelog", "values")

    def projects(self, api: Api) -> list[Json]:
        """By the paged search for projects."""
        return paged(api, "project/search", "values")

    def issue_types(self, api: Api, project: str) -> list[Json]:
        """The list `issueTypes`."""
        return paged(api, f"issue/createmeta/{part(project)}/issuetypes", "issueTypes")

    def fields(self, api: Api, project: str, type_id: str) -> list[Json]:
        """The list `fields`."""
        return paged(api, f"issue/createmeta/{part(project)}/issuetypes/{part(type_id)}", "fields")

    def field_kind(self, schema: Json) -> str:
        """Version 3 takes a text of several lines as ADF, although its schema says that it is a string."""
        is_long = str(schema.get("custom", "")).endswith(TEXT_AREA) or schema.get("system") == ENVIRONMENT
        return FieldKind.PARAGRAPH if is_long and schema.get("type") == FieldKind.TEXT else super().field_kind(schema)

    def people(self, api: Api, email: str) -> list[Json]:
        """By `query`; users who hide their address are not found."""
        return api.get_list("user/search", query=email)

    def signs_webhooks(self, version: Version) -> bool:
        """Always."""
        return True

    def limits(self, version: Version) -> tuple[str, ...]:
        """Its users may hide their e-mail addresses."""
        return ("Jira Cloud finds a user by e-mail address only if the user shows the address; link others by hand.",)

    def refusal(self, version: Version) -> str:
        """None."""
        return ""
