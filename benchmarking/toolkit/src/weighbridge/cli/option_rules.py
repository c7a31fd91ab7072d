"""Options that decide something only with others: whoever gives such an option alone learns so before a long run."""

import abc
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from weighbridge.core.errors import Invalid


class OptionRule(abc.ABC):
    """A rule beside the `typer.Option` of an option, about others of its command, like "--data" or "--to jsonl"."""

    def __init__(self, *others: str) -> None:
        self.others = others

    @abc.abstractmethod
    def words(self, option: str, is_given: Callable[[str], bool]) -> str:
        """Return why the option decides nothing, and what to do; nothing if it is used."""


class Needs(OptionRule):
    """The option is used only with one of the others."""

    def words(self, option: str, is_given: Callable[[str], bool]) -> str:
        """Return a sentence unless one of the others was given."""
        if any(map(is_given, self.others)):
            return ""
        *more, last = self.others
        listed = f"{', '.join(more)} or {last}" if more else last
        return f"{option} is used only with {listed}; add it, or leave out {option}."


class NotWith(OptionRule):
    """The option is not used with any of the others."""

    def words(self, option: str, is_given: Callable[[str], bool]) -> str:
        """Return a sentence if one of the others was given."""
        other = next(filter(is_given, self.others), None)
        return f"{option} is not used with {other}; leave out one of them." if other else ""


def rules_of(command: Callable[..., Any]) -> Iterator[tuple[str, OptionRule]]:
    """Yield the parameters of a command that have rules, each with one rule."""
    for name, parameter in inspect.signature(command).parameters.items():
        for each in getattr(parameter.annotation, "__metadata__", ()):
            if isinstance(each, OptionRule):
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
        if is_on_line(name) and (words := rule.words(options[name], is_given)):
            raise Invalid(words, code="option_unused", field=name)


def _spelled(value: Any) -> str:
    """Return a value as it is compared: `SingleStream` and `single-stream` are the same."""
    return str(value).lower().replace("-", "")
