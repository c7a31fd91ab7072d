"""Options that decide something only with others: whoever gives such an option alone learns so before a long run."""

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from weighbridge.core.errors import Invalid


@dataclasses.dataclass(frozen=True, init=False)
class Needs:
    """An option, beside its `typer.Option`, that is used only with one of others, like "--data" or "--to jsonl"."""

    others: tuple[str, ...]

    def __init__(self, *others: str) -> None:
        object.__setattr__(self, "others", others)

    def check(self, option: str, is_given: Callable[[str], bool]) -> None:
        """Raise Invalid unless one of the others was given."""
        if not any(map(is_given, self.others)):
            *more, last = self.others
            listed = f"{', '.join(more)} or {last}" if more else last
            text = f"{option} is used only with {listed}; add it, or leave out {option}."
            raise Invalid(text, code="option_unused", field=option.strip("-").replace("-", "_"))


@dataclasses.dataclass(frozen=True, init=False)
class NotWith:
    """An option, beside its `typer.Option`, that is not used with others."""

    others: tuple[str, ...]

    def __init__(self, *others: str) -> None:
        object.__setattr__(self, "others", others)

    def check(self, option: str, is_given: Callable[[str], bool]) -> None:
        """Raise Invalid if one of the others was given."""
        for other in filter(is_given, self.others):
            text = f"{option} is not used with {other}; leave out one of them."
            raise Invalid(text, code="option_unused", field=option.strip("-").replace("-", "_"))


def rules_of(command: Callable[..., Any]) -> Iterator[tuple[str, Needs | NotWith]]:
    """Yield the parameters of a command that have rules, each with one rule."""
    for name, parameter in inspect.signature(command).parameters.items():
        for each in getattr(parameter.annotation, "__metadata__", ()):
            if isinstance(each, Needs | NotWith):
                yield name, each


def check_options(context: Any) -> None:
    """Raise Invalid for an option on the command line that decides nothing beside the others; by their rules."""
    names = {text: parameter.name for parameter in context.command.params for text in parameter.opts}
    options = {name: text for text, name in names.items()}

    def is_on_line(name: str) -> bool:
        source = context.get_parameter_source(name)
        return source is not None and source.name == "COMMANDLINE"

    def is_given(other: str) -> bool:
        option, _, value = other.partition(" ")
        found = context.params[names[option]]
        return _spelled(found) == _spelled(value) if value else found not in (None, "", 0, False, [], ())

    for name, rule in rules_of(context.command.callback):
        if is_on_line(name):
            rule.check(options[name], is_given)


def _spelled(value: Any) -> str:
    """Return a value as it is compared: `SingleStream` and `single-stream` are the same."""
    return str(value).lower().replace("-", "")
