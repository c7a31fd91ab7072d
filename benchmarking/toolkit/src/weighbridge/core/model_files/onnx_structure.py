"""Validation of self-contained ONNX models: parses the protobuf without the onnx library.

Rejects weights in other files (their paths would be opened on our machines) and operators that need another library or
access anything outside the graph. Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
Does not check whether the model computes anything useful. Checks every occurrence of a field, because parsers merge
them or take the last. Time and memory are bounded: files with more parts than any known model are rejected.
"""

import re
from dataclasses import dataclass, field

from weighbridge.core.errors import Invalid

DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
# Operators of those domains that run Python, call another library, or open a file named by an attribute.
OUTSIDERS = frozenset(("com.microsoft", name) for name in ("ATen", "EPContext", "PythonOp", "PythonOpGrad"))
MOST_FIELDS = 500_000  # a model of a thousand layers has some ten thousand nodes of ten fields
# Numbers written one by one, as the trees of a forest are; 100,000 trees have some 10 MB.
MOST_NUMBERS_BYTES = 50_000_000
LONGEST_NAME_BYTES = 1_000
DEEPEST = 100  # protobuf's own limit

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5

# The fields of each message that contain nodes and tensors, and the message type inside.
_CHILDREN: dict[str, dict[int, str]] = {
    "Model": {7: "Graph", 20: "Training", 25: "Function"},
    "Training": {1: "Graph", 2: "Graph"},
    "Function": {7: "Node", 11: "Attribute"},
    "Graph": {1: "Node", 5: "Tensor", 15: "SparseTensor"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "SparseTensor", 23: "SparseTensor"},
    "SparseTensor": {1: "Tensor", 2: "Tensor"},
    "Tensor": {},
}
_IR_VERSION = 1
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
_NODE_OPERATOR, _NODE_DOMAIN = 4, 7
_FUNCTION_NAME, _FUNCTION_DOMAIN = 1, 10
# The fields of each message that the validation reads.
_READ_FIELDS: dict[str, frozenset[int]] = {
    "Model": frozenset({_IR_VERSION}),
    "Tensor": frozenset({_EXTERNAL_DATA, _DATA_LOCATION}),
    "Node": frozenset({_NODE_OPERATOR, _NODE_DOMAIN}),
    "Function": frozenset({_FUNCTION_NAME, _FUNCTION_DOMAIN}),
}


def _numbers(read: frozenset[int]) -> re.Pattern[bytes]:
    """Match a run of numeric fields that the validation does not read, so that they are skipped quickly."""

    def tags(wire: int) -> bytes:
        return b"".join(re.escape(bytes([number << 3 | wire])) for number in range(1, 16) if number not in read)

    varint = b"[%b][\x80-\xff]{0,9}[\x00-\x7f]" % tags(_VARINT)
    return re.compile(b"(?:%b|[%b].{4}|[%b].{8}){1,10000}+" % (varint, tags(_FOUR), tags(_EIGHT)), re.DOTALL)


_NUMBERS = {message: _numbers(_READ_FIELDS.get(message, frozenset())) for message in _CHILDREN}

# Field number, wire type, numeric value, start and end of the bytes.
_Field = tuple[int, int, int, int, int]


class _Broken(Exception):  # noqa: N818 -- never leaves this module
    """The reason why the bytes are no ONNX model."""


@dataclass
class _Walk:
    """The state of the validation; operators and functions are (domain, name)."""

    content: memoryview
    allows_external: bool
    has_ir_version: bool = False
    has_graph: bool = False
    fields: int = 0
    numbers_bytes: int = 0
    operators: set[tuple[str, str]] = field(default_factory=set)
    functions: set[tuple[str, str]] = field(default_factory=set)
    pending: list[tuple[str, int, int, int]] = field(default_factory=list)


def check_onnx(content: memoryview, *, name: str, allows_external: bool = False) -> None:
    """Raise Invalid unless the bytes are an ONNX model of known operators; weights elsewhere need `allows_external`."""
    try:
        _check_operators(_walked(content, name=name, allows_external=allows_external), name=name)
    except _Broken as broken:
        raise Invalid(
            f"{name} is neither an ONNX model nor a file of another accepted format (safetensors, GGUF, skops, "
            f"XGBoost, LightGBM): {broken}. Export the model to ONNX, or save its weights as safetensors, and upload "
            "that.",
            code="unknown_artifact",
            field="file",
        ) from broken


def _walked(content: memoryview, *, name: str, allows_external: bool) -> _Walk:
    seen = _Walk(content, allows_external=allows_external, pending=[("Model", 0, len(content), 1)])
    while seen.pending:
        message, start, end, depth = seen.pending.pop()
        if depth > DEEPEST:
            raise _Broken("its graphs are nested too deeply")
        _record(seen, message, _walk(seen, start, end, message=message, depth=depth), name=name)
    return seen


def _walk(seen: _Walk, position: int, end: int, *, message: str, depth: int) -> list[_Field]:
    """Walk one message: queue its nested messages and return the fields that the validation reads."""
    numbers, children, wanted = _NUMBERS[message], _CHILDREN[message], _READ_FIELDS.get(message, frozenset())
    read: list[_Field] = []
    while position < end:
        if run := numbers.match(seen.content, position, end):
            seen.numbers_bytes += run.end() - position
            position = run.end()
        else:
            field = _field(seen.content, position, end)
            number, wire, _, start, position = field
            seen.fields += 1
            if wire == _BYTES and number in children:
                seen.pending.append((children[number], start, position, depth + 1))
                seen.has_graph |= depth == 1 and children[number] == "Graph"
            elif number in wanted:
                read.append(field)
        if seen.fields > MOST_FIELDS or seen.numbers_bytes > MOST_NUMBERS_BYTES:
            raise _Broken("it has too many parts to be validated")
    return read


def _record(seen: _Walk, message: str, read: list[_Field], *, name: str) -> None:
    match message:
        case "Model":
            seen.has_ir_version = any(wire == _VARINT and varint > 0 for _, wire, varint, _, _ in read)
        case "Tensor" if not seen.allows_external:
            _check_tensor(read, name=name)
        case "Node":
            seen.operators.add((_text(seen, read, _NODE_DOMAIN), _text(seen, read, _NODE_OPERATOR)))
        case "Function":
            seen.functions.add((_text(seen, read, _FUNCTION_DOMAIN), _text(seen, read, _FUNCTION_NAME)))


def _check_tensor(read: list[_Field], *, name: str) -> None:
    for number, _, varint, _, _ in read:
        if number == _EXTERNAL_DATA or varint != 0:
            text = f"{name} stores its weights in another file; save it as one file (onnx.save without external data)."
            raise Invalid(text, code="external_data", field="file")


def _text(seen: _Walk, read: list[_Field], number: int) -> str:
    """Return the text of a field, empty if it is missing: a message without a domain has the default domain."""
    spans = [(start, end) for each, wire, _, start, end in read if each == number and wire == _BYTES]
    if len(spans) > 1:
        # Parsers disagree on which one counts.
        raise _Broken("an operator in it has two names")
    start, end = spans[0] if spans else (0, 0)
    if end - start > LONGEST_NAME_BYTES:
        raise _Broken("the name of an operator in it is too long")
    return bytes(seen.content[start:end]).decode(errors="replace")


def _check_operators(seen: _Walk, *, name: str) -> None:
    if not seen.has_ir_version or not seen.has_graph:
        raise _Broken("it has no ONNX version or no graph")
    foreign = {each for each in seen.operators - seen.functions if each[0] not in DOMAINS} | seen.operators & OUTSIDERS
    if foreign:
        domain, operator = min(foreign)
        raise Invalid(
            f"{name} uses the operator {operator[:80]!r} of the domain {domain[:80]!r}, which needs another library; "
            f"export with the operators of ai.onnx, ai.onnx.ml or com.microsoft that compute inside the graph only.",
            code="custom_operators",
            field="file",
        )


def _field(content: memoryview, position: int, end: int) -> _Field:
    """Return the field that starts at the position; the next field starts at its end."""
    tag, position = _varint(content, position, end)
    number, wire = tag >> 3, tag & 7
    varint, start = 0, position
    # Some parsers truncate a longer tag to 32 bits and would read another field.
    if number == 0 or tag >= 2**32:
        raise _Broken("it is not a protobuf message")
    match wire:
        case 0:
            varint, position = _varint(content, position, end)
        case 1:
            position += 8
        case 2:
            length, start = _varint(content, position, end)
            position = start + length
        case 5:
            position += 4
        case _:
            raise _Broken("it uses an obsolete protobuf wire type")
    if position > end:
        raise _Broken("it is truncated")
    return number, wire, varint, start, position


def _varint(content: memoryview, position: int, end: int) -> tuple[int, int]:
    """Return the number at the position and the position after it; protobuf uses at most ten bytes."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= end:
            raise _Broken("it is truncated")
        byte = content[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise _Broken("a number in it is too long")
