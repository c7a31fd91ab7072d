"""Scorers of JSON: json_schema for the text of an answer, tool_call for a call that it asks for."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid, Refused
from weighbridge.core.extras import import_extra
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.quality.prompts.answer_file import PromptAnswer
from weighbridge.quality.prompts.scorers.options import switch
from weighbridge.quality.prompts.scorers.texts import matcher

MISSING = object()
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
PATHS_MAX, FENCE = 100, "```"


def read_json_schema(reader: Reader) -> Callable[[PromptAnswer], bool]:
    """Read `json_schema`: the answer is JSON, valid for `schema`, and has the values in `equal` (JSON pointer: value).

    `fenced` accepts JSON in a fence of Markdown. The schema is of draft 2020-12, refers to itself alone, and its
    patterns have the time limit of `regex`.
    """
    is_fenced = switch(reader, "fenced", default=False)
    validator = _validator(reader) if reader.asks("schema") else None
    equal = _equal(reader)
    if validator is None and not equal:
        raise reader.fault("schema", "or equal must be given.")

    def is_right(answer: PromptAnswer) -> bool:
        value = _parsed(_unfenced(answer.text) if is_fenced else answer.text)
        if value is MISSING:
            return False
        is_valid = validator is None or _is_valid(validator, value)
        return is_valid and all(is_same(_at(value, path), wanted) for path, wanted in equal.items())

    return is_right


def read_tool_call(reader: Reader) -> Callable[[PromptAnswer], bool]:
    """Read `tool_call`: the answer asks for exactly one call, of `name`, with `arguments`.

    The arguments must be equal; with `allow_more`, others may stand beside those that are named.
    """
    name = reader.text("name")
    wanted: Any = reader.plain("arguments") if reader.asks("arguments") else {}
    if not isinstance(wanted, dict):
        raise reader.fault("arguments", "must be an object.")
    allows_more = switch(reader, "allow_more", default=False)

    def is_right(answer: PromptAnswer) -> bool:
        if [call.name for call in answer.tool_calls] != [name]:
            return False
        given = _parsed(answer.tool_calls[0].arguments or "{}")
        if not isinstance(given, dict):
            return False
        named = {key: value for key, value in given.items() if key in wanted} if allows_more else given
        return is_same(named, wanted)

    return is_right


def is_same(first: Any, second: Any) -> bool:
    """Return whether two JSON values are equal: 1 is 1.0, but neither is true."""
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(is_same(first[key], second[key]) for key in first)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(is_same, first, second))
    return bool(first == second)


def _parsed(text: str) -> Any:
    try:
        return parse_json(text.strip())
    except Refused:
        return MISSING


def _unfenced(text: str) -> str:
    """Return what is in the only fence of a text, or the text."""
    parts = text.split(FENCE)
    if len(parts) != 3:
        return text
    head, _, rest = parts[1].partition("\n")
    return rest if not head.strip() or head.strip().isalnum() else parts[1]


def _equal(reader: Reader) -> Mapping[str, Any]:
    value: Any = reader.plain("equal") if reader.asks("equal") else dict[str, Any]()
    is_right = isinstance(value, dict) and len(value) <= PATHS_MAX
    if not is_right or not all(not path or path.startswith("/") for path in value):
        raise reader.fault("equal", f'must have at most {PATHS_MAX} JSON pointers like "/department", with values.')
    return dict(value)


def _at(value: Any, pointer: str) -> Any:
    """Return what a JSON pointer (RFC 6901) points to, or MISSING."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(key, MISSING)
        elif isinstance(value, list) and key.isascii() and key.isdigit() and int(key[:9]) < len(value):
            value = value[int(key[:9])]
        else:
            return MISSING
    return value


def _validator(reader: Reader) -> Any:
    """Return the validator of a schema, which fetches nothing; raise Invalid for another schema."""
    schema: Any = reader.plain("schema")
    jsonschema, referencing = import_extra("jsonschema"), import_extra("referencing")
    if not isinstance(schema, dict | bool):
        raise reader.fault("schema", "must be an object, true or false.")
    for key, target in _keys(schema):
        if key in REFERENCES and not (isinstance(target, str) and target.startswith("#")):
            raise reader.fault(
                "schema", f"refers to {target!r}; write what it needs into its $defs, and refer to that."
            )
        if key == "patternProperties":
            raise reader.fault("schema", "has patternProperties, which have no time limit; use properties.")
    kind = jsonschema.Draft202012Validator
    try:
        kind.check_schema(schema)
    except jsonschema.exceptions.SchemaError as error:
        raise reader.fault("schema", f"is no JSON Schema: {error.message[:200]}.") from error
    limited = jsonschema.validators.extend(kind, {"pattern": _pattern})
    return limited(schema, registry=referencing.Registry())


def _keys(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key, item
            yield from _keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from _keys(item)


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[Any]:
    if isinstance(instance, str) and not matcher(pattern)(instance):
        yield import_extra("jsonschema").ValidationError("the text does not match its pattern")


def _is_valid(validator: Any, value: Any) -> bool:
    try:
        return bool(validator.is_valid(value))
    except (RecursionError, import_extra("referencing").exceptions.Unresolvable) as error:
        text = "The schema of a scorer cannot be followed: a $ref leads nowhere, or to itself without end."
        raise Invalid(text, code="scorer_schema", field="expected.schema") from error
