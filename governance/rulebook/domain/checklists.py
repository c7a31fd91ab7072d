"""The checklist of a review: its items, who answers them, and when they are shown.

Metric and cost items are answered by metric values of an accepted basis, study items by an attached study; text never
answers them. The reviewers decide whether an answer is convincing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from governance.people.domain.roles import Role
from governance.rulebook.domain.metric_limits import MetricLimit, read_accepted, read_limit
from governance.rulebook.domain.scopes import Scope, read_scope
from weighbridge.core.canonical import digest_of
from weighbridge.core.documents import API_VERSION, Reader, check_unique
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis
from weighbridge.readers.study_kinds import StudyKind

KIND, OPTIONS_MIN = "ReviewChecklist", 2


class ItemKind(StrEnum):
    """The kind of answer that an item needs."""

    METRIC = "metric"
    COST = "cost"
    TEXT = "text"
    CHOICE = "choice"
    FILE = "file"
    ATTESTATION = "attestation"
    STUDY = "study"

    @property
    def is_answered_by_metrics(self) -> bool:
        """True for the kinds that are answered by metric values instead of a person."""
        return self in (ItemKind.METRIC, ItemKind.COST)

    @property
    def is_answered_by_people(self) -> bool:
        """True for the kinds that a person answers in the checklist itself."""
        return not self.is_answered_by_metrics and self is not ItemKind.STUDY


class Answerer(StrEnum):
    """Who answers an item, besides the people with a role."""

    TEAM = "team"
    OWNER = "owner"


@dataclass(frozen=True, kw_only=True)
class ShownWhen:
    """When an item is shown: for the requests of a scope, unless a limit or an answer is known to speak against it."""

    scope: Scope = field(default_factory=Scope)
    limit: MetricLimit | None = None
    item: str = ""
    one_of: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The condition as text; "" if the item is always shown."""
        answer = f"{self.item} is {' or '.join(self.one_of)}" if self.item else ""
        parts = (self.scope.words if self.scope.depth else "", self.limit.condition if self.limit else "", answer)
        return "; ".join(filter(None, parts))


ALWAYS = ShownWhen()


@dataclass(frozen=True, kw_only=True)
class ChecklistItem:
    """One question. `metrics` and `accept` are for metric and cost items, `options` for choices.

    A study item is answered by a study of one of the kinds in `studies`. `min_length` is the least number of characters
    of a text. `answered_by` are the roles whose people answer, `team` for the team of the request or `owner` for the
    owner of the model. A platform lead can waive an item that `may_waive`.
    """

    id: str
    kind: ItemKind
    title: str
    help: str = ""
    required: bool = True
    metrics: tuple[str, ...] = ()
    accept: tuple[Basis, ...] = ()
    min_length: int = 1
    options: tuple[str, ...] = ()
    studies: tuple[StudyKind, ...] = ()
    answered_by: tuple[str, ...] = (Answerer.TEAM.value,)
    may_waive: bool = True
    shown_when: ShownWhen = ALWAYS


@dataclass(frozen=True)
class Checklist:
    """A parsed checklist; `digest` is the digest of its document."""

    name: str
    title: str
    items: tuple[ChecklistItem, ...]
    digest: str = ""


@dataclass(frozen=True, kw_only=True)
class ChecklistReply:
    """The answer of a person to an item; people are identified by username. The text of a choice is the option.

    `inherited_from` says from which approval, and under which policy, the answer of a parent counts.
    """

    item_id: str
    answered_by: str
    answered_at: datetime
    text: str = ""
    file_digest: str = ""
    attested_by: str = ""
    inherited_from: str = ""


def parse_checklist(document: Mapping[str, object]) -> Checklist:
    """Parse a checklist document. Raises Invalid with the path of the first error, like `items[3].metrics`."""
    reader = Reader(document)
    reader.constant("apiVersion", API_VERSION)
    reader.constant("kind", KIND)
    checklist = Checklist(reader.text("name"), reader.text("title"), reader.items("items", _item))
    reader.close()
    if not checklist.items:
        raise reader.fault("items", "is empty. A checklist must have at least one item.")
    check_unique(tuple(item.id for item in checklist.items), path="items")
    _check_dependencies(checklist)
    return replace(checklist, digest=digest_of(document))


def _item(reader: Reader) -> ChecklistItem:
    item = ChecklistItem(
        id=reader.text("id"),
        kind=reader.choice("kind", ItemKind),
        title=reader.text("title"),
        help=reader.text("help", ""),
        required=reader.flag("required", default=True),
        metrics=reader.words("metrics"),
        accept=read_accepted(reader),
        min_length=reader.whole("min_length", 1, at_least=1),
        options=reader.words("options"),
        studies=_studies(reader),
        answered_by=_answered_by(reader),
        may_waive=reader.flag("may_waive", default=True),
        shown_when=_shown_when(reader.mapping("shown_when")),
    )
    _check_metrics(reader, item)
    if (item.kind is ItemKind.STUDY) != bool(item.studies):
        raise reader.fault("studies", "must list kinds of studies, for an item of the kind study alone.")
    if (item.kind is ItemKind.CHOICE) != (len(item.options) >= OPTIONS_MIN):
        raise reader.fault("options", f"must list {OPTIONS_MIN} options or more, for an item of the kind choice alone.")
    return item


def _studies(reader: Reader) -> tuple[StudyKind, ...]:
    names = reader.words("studies")
    unknown = set(names) - set(StudyKind)
    if unknown:
        raise reader.fault("studies", f"contains {min(unknown)!r}. Use {', '.join(StudyKind)}.")
    return tuple(map(StudyKind, names))


def _answered_by(reader: Reader) -> tuple[str, ...]:
    names = reader.words("answered_by")
    unknown = set(names) - {*Role, *Answerer}
    if unknown:
        raise reader.fault("answered_by", f"contains {min(unknown)!r}. Use {', '.join((*Answerer, *Role))}.")
    return names or (Answerer.TEAM.value,)


def _shown_when(reader: Reader) -> ShownWhen:
    if not reader.has_keys:
        return ALWAYS
    scope, inner, answer = (reader.mapping(key) for key in ("scope", "limit", "answer"))
    limit = read_limit(inner) if inner.has_keys else None
    inner.close()
    item, one_of = (answer.text("item"), answer.words("one_of")) if answer.has_keys else ("", ())
    answer.close()
    reader.close()
    if limit is not None and limit.versus is not None:
        raise inner.fault("versus", "is for rules. An item depends on a value alone.")
    return ShownWhen(scope=read_scope(scope), limit=limit, item=item, one_of=one_of)


def _check_dependencies(checklist: Checklist) -> None:
    """Raise Invalid for an item that depends on an answer which no choice before it can have."""
    choices: dict[str, tuple[str, ...]] = {}
    for place, item in enumerate(checklist.items):
        shown, field_name = item.shown_when, f"items[{place}].shown_when.answer"
        if shown.item and shown.item not in choices:
            raise Invalid(
                f"{field_name} names {shown.item!r}; name a choice that is listed before it.", field=field_name
            )
        if shown.item and (not shown.one_of or not set(shown.one_of) <= set(choices[shown.item])):
            options = ", ".join(choices[shown.item])
            raise Invalid(f"{field_name} must list options of {shown.item}: {options}.", field=field_name)
        choices |= {item.id: item.options} if item.kind is ItemKind.CHOICE else {}


def _check_metrics(reader: Reader, item: ChecklistItem) -> None:
    for key, values in (("metrics", item.metrics), ("accept", item.accept)):
        if item.kind.is_answered_by_metrics and not values:
            raise reader.fault(key, f"is missing. A {item.kind} item is answered by metrics of an accepted basis.")
        if values and not item.kind.is_answered_by_metrics:
            only = "is allowed only for metric and cost items."
            raise reader.fault(key, f"{only} A {item.kind} item is answered by a person.")
