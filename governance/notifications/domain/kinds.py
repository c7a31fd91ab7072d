"""The kinds of notifications. A new kind is one entry of `CATALOG`."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class NoticePace(StrEnum):
    """How fast a person is told: not at all, on the page alone, also in the daily digest, or also by mail at once."""

    NONE = "none"
    PAGE = "page"
    DIGEST = "digest"
    AT_ONCE = "at_once"

    @property
    def words(self) -> str:
        """The pace as shown on pages."""
        return _PACES[self]


_PACES = {
    NoticePace.NONE: "Not at all",
    NoticePace.PAGE: "On the page",
    NoticePace.DIGEST: "Page and daily mail",
    NoticePace.AT_ONCE: "Page and mail at once",
}
MAILED = (NoticePace.DIGEST, NoticePace.AT_ONCE)
CHANNEL_PACES = {NoticePace.AT_ONCE: "At once", NoticePace.DIGEST: "Collected, once a day"}
"""What the channel of a team can choose, with its words."""


@dataclass(frozen=True)
class NotificationKind:
    """One kind: its title, when it is sent, the default pace, and whether the deputy of an absent person gets it too.

    Where the caller names the deputies itself, because only some of them may act, `for_deputies` is False. An event of
    a kind that is not `for_teams` belongs to no team, so that no webhook gets it.
    """

    title: str
    meaning: str
    pace: NoticePace = NoticePace.DIGEST
    for_deputies: bool = False
    for_teams: bool = True


CATALOG: Mapping[str, NotificationKind] = MappingProxyType(
    {
        "vote_asked": NotificationKind("Asked to vote", "A request waits for your vote."),
        "mentioned": NotificationKind("Mentioned", "Somebody mentions you in a comment."),
        "changes_requested": NotificationKind(
            "Changes requested", "Reviewers ask for changes to your request.", for_deputies=True
        ),
        "decided": NotificationKind("Decided", "Your request or your proposed change is decided.", for_deputies=True),
        "failed": NotificationKind("Failed", "A benchmark run, a packet or a delivery failed."),
        "lapses": NotificationKind("Lapses soon", "Something lapses soon unless you act.", NoticePace.AT_ONCE),
        "budget_level": NotificationKind("Budget nearly used", "80 % or 100 % of a budget is used."),
        "finding_assigned": NotificationKind(
            "Finding assigned", "You are to look into a finding.", for_deputies=True, for_teams=False
        ),
        "condition_due": NotificationKind(
            "Condition due", "A condition that you own is due soon.", NoticePace.AT_ONCE, for_deputies=True
        ),
        "authorization_ends": NotificationKind(
            "Authorization ends",
            "An authorization or a clearance of your model ends or is suspended.",
            NoticePace.AT_ONCE,
            for_deputies=True,
        ),
        "retirement": NotificationKind(
            "Retirement announced", "The vendor of a model that you own retires it.", for_deputies=True
        ),
        "quarter": NotificationKind(
            "Quarterly review",
            "The figures of a quarterly review are collected until its cut-off, the cut-off moves, or they are frozen.",
            for_teams=False,
        ),
        "change_waits": NotificationKind("Change to confirm", "A change waits for you as its second person."),
        "account": NotificationKind(
            "Account changed",
            "Somebody changed which account on another system is yours.",
            NoticePace.AT_ONCE,
            for_teams=False,
        ),
    }
)
"""By name, in the order of the settings page."""
OF_TEAMS = tuple(name for name, kind in CATALOG.items() if kind.for_teams)
"""What a webhook can get."""
AT_ONCE_IN_ANY_CASE = tuple(name for name, kind in CATALOG.items() if kind.pace is NoticePace.AT_ONCE)
"""What cannot wait: a channel gets it at once, whatever its pace."""

TEST = "test"
"""What a person asked for to see whether it arrives. It is in no catalog, because nobody chooses its pace."""
EVERY_KIND, DAILY = "", "daily"
"""What a link to unsubscribe can name in place of one kind: all of them, or those whose pace is the daily mail."""


def title_of(kind: str) -> str:
    """The title of a kind; of one that is not in the catalog (any more), its name."""
    return CATALOG[kind].title if kind in CATALOG else kind.replace("_", " ").capitalize()


def pace_of(kind: str, *, chosen: Mapping[str, str]) -> NoticePace:
    """The pace that a person chose for a kind, or its default."""
    return NoticePace(chosen[kind]) if kind in chosen else CATALOG[kind].pace


def channel_pace(kind: str, *, chosen: str) -> NoticePace:
    """The pace of a kind for a channel: the chosen one, but what lapses goes at once."""
    return NoticePace.AT_ONCE if kind in AT_ONCE_IN_ANY_CASE else NoticePace(chosen)


def ended_kinds(about: str, *, chosen: Mapping[str, str]) -> list[str]:
    """The kinds of which mail ends by a link to unsubscribe: those it is `about` that are mailed."""
    paces = (NoticePace.DIGEST,) if about == DAILY else MAILED
    named = [kind for kind in CATALOG if about in {EVERY_KIND, DAILY, kind}]
    return [kind for kind in named if pace_of(kind, chosen=chosen) in paces]
