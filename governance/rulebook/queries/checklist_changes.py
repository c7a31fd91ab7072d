"""Differences between two checklists, by item."""

from collections.abc import Iterator

from governance.rulebook.domain.checklists import Checklist, ChecklistItem
from governance.rulebook.domain.policy_diff import PolicyDifference


def diff_checklists(*, before: Checklist, after: Checklist) -> tuple[PolicyDifference, ...]:
    """All differences in meaning: the title, then removed, new and changed items, then the order."""
    old, new = ({item.id: item for item in each.items} for each in (before, after))
    return (
        *_fields("", {"title": before.title}, {"title": after.title}),
        *(change for key in dict.fromkeys((*old, *new)) for change in _item(key, old.get(key), new.get(key))),
        *_order([key for key in old if key in new], [key for key in new if key in old]),
    )


def _item(key: str, old: ChecklistItem | None, new: ChecklistItem | None) -> Iterator[PolicyDifference]:
    place = f"items[{key}]"
    if old is None and new is not None:
        yield PolicyDifference(place, None, _summary(new), f"{place} is new: {_summary(new)}.")
    elif new is None and old is not None:
        yield PolicyDifference(place, _summary(old), None, f"{place} was removed. It was: {_summary(old)}.")
    elif old is not None and new is not None:
        yield from _fields(place, _item_fields(old), _item_fields(new))


def _fields(place: str, old: dict[str, str], new: dict[str, str]) -> Iterator[PolicyDifference]:
    for name, before in old.items():
        if before != new[name]:
            path = f"{place}.{name}" if place else name
            words = f"{path} changed from {before or 'nothing'} to {new[name] or 'nothing'}."
            yield PolicyDifference(path, before, new[name], words)


def _order(old: list[str], new: list[str]) -> Iterator[PolicyDifference]:
    if old != new:
        before, after = ", ".join(old), ", ".join(new)
        yield PolicyDifference("items", before, after, f"The order of the items changed from {before} to {after}.")


def _item_fields(item: ChecklistItem) -> dict[str, str]:
    return {
        "kind": item.kind.value,
        "title": item.title,
        "help": item.help,
        "required": "yes" if item.required else "no",
        "metrics": ", ".join(item.metrics),
        "accept": ", ".join(item.accept),
        "min_length": str(item.min_length),
    }


def _summary(item: ChecklistItem) -> str:
    return f"{item.title} ({item.kind}{'' if item.required else ', optional'})"
