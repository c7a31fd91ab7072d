"""The flavors by key, and which one a server says it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from reviews.tickets.jira.flavors.cloud import Cloud
from reviews.tickets.jira.flavors.data_center import DataCenter
from reviews.tickets.jira.flavors.flavor import Flavor, Version
from reviews.tickets.ports import NAME_CHARS_MAX, Misconfigured
from weighbridge.core.documents import cleaned

CLOUD, DATA_CENTER = Cloud(), DataCenter()
FLAVORS: Mapping[str, Flavor] = MappingProxyType({flavor.key: flavor for flavor in (CLOUD, DATA_CENTER)})
_VERSION_PARTS_MAX = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerIdentity:
    """What a server says about itself: its flavor, its version as text and as numbers, and its title."""

    flavor: Flavor
    version: str
    numbers: Version
    title: str = ""

    @property
    def words(self) -> str:
        """As people name it: Jira Data Center 10.3.1."""
        return self.flavor.name if self.flavor is CLOUD else f"{self.flavor.name} {self.version}"


def identity_of(answer: Mapping[str, Any], *, url: str) -> ServerIdentity:
    """Read an answer of `serverInfo`. Raises Misconfigured for a type that is not known, or a version too old."""
    deployment = answer.get("deploymentType")
    named = str(deployment).strip().casefold()
    flavor = next((each for each in FLAVORS.values() if named in each.deployments), None)
    if flavor is None:
        shown = cleaned(str(deployment or "unknown"), chars_max=NAME_CHARS_MAX)
        raise Misconfigured(
            f"The server at {url} reports the type {shown}. Weighbridge supports Jira Cloud and Jira Data Center: "
            "enter the address of one of these."
        )
    numbers = numbers_of(answer.get("versionNumbers"))
    if refusal := flavor.refusal(numbers):
        raise Misconfigured(f"{refusal} It reports version {_version(answer)}.")
    title = cleaned(str(answer.get("serverTitle") or ""), chars_max=NAME_CHARS_MAX)
    return ServerIdentity(flavor=flavor, version=_version(answer), numbers=numbers, title=title)


def numbers_of(values: object) -> Version:
    """The numbers of a version; empty if there are none."""
    parts = values if isinstance(values, list) else []
    return tuple(value for value in parts[:_VERSION_PARTS_MAX] if type(value) is int)


def numbers_in(version: str) -> Version:
    """The numbers in a version as text, such as "10.3.1"."""
    parts = version.split(".")[:_VERSION_PARTS_MAX]
    return tuple(int(text) for text in parts if text.isascii() and text.isdigit())


def _version(answer: Mapping[str, Any]) -> str:
    return cleaned(str(answer.get("version") or "unknown"), chars_max=40)
