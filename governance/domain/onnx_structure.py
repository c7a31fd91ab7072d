"""Whether bytes are an ONNX model that stands alone: walked as protobuf, without the onnx library.

Refuses weights kept in other files (their paths would be opened on our machines) and operators that need a library of
their own. Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. Whether the model computes
anything sensible is for the runner. Every occurrence of a field is looked at, since parsers merge or take the last.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from governance.domain.refusals import Invalid

DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
MOST_FIELDS = 2_000_000  # a model of a thousand layers has some ten thousand; at the limit the walk takes seconds
DEEPEST = 100  # protobuf's own limit

_VARINT, _BYTES = 0, 2

# Which fields of which message lead to nodes and tensors, and to what.
_CHILDREN: dict[str, dict[int, str]] = {
    "Model": {7: "Graph", 20: "Training", 25: "Function"},
    "Training": {1: "Graph", 2: "Graph"},
    "Function": {7: "Node", 11: "Attribute"},
    "Graph": {1: "Node", 5: "Tensor", 15: "SparseTensor"},
    "Node": {5: "Attribute"},
    "Attribute": {
        5: "Tensor",
        6: "Graph",
        10: "Tensor",
        11: "Graph",
        22: "SparseTensor",
        23: "SparseTensor",
    },
    "SparseTensor": {1: "Tensor", 2: "Tensor"},
    "Tensor": {},
}
_IR_VERSION, _GRAPH = 1, 7
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
_NODE_OPERATOR, _NODE_DOMAIN = 4, 7
_FUNCTION_NAME, _FUNCTION_DOMAIN = 1, 10


@dataclass(frozen=True)
class _Field:
    number: int
    wire: int
    varint: int
    start: int
    end: int


@dataclass
class _Seen:
    """What the walk has met; operators and functions as (domain, name)."""

    has_ir_version: bool = False
    has_graph: bool = False
    fields: int = 0
    operators: set[tuple[str, str]] = field(default_factory=set)
    functions: set[tuple[str, str]] = field(default_factory=set)


def check_onnx(content: memoryview, *, name: str) -> None:
    """Raise Invalid unless the bytes are a self-contained ONNX model of known operator domains."""
    seen = _Seen()
    waiting = [("Model", 0, len(content), 1)]
    while waiting:
        message, start, end, depth = waiting.pop()
        if depth > DEEPEST:
            raise _broken(name, "its graphs are nested too deeply")
        fields: list[_Field] = []
        for each in _fields(content, start, end, name=name):
            seen.fields += 1
            if seen.fields > MOST_FIELDS:
                raise _broken(name, "it has too many parts to be looked through")
            child = _CHILDREN[message].get(each.number)
            if child and each.wire == _BYTES:
                waiting.append((child, each.start, each.end, depth + 1))
            elif message != "Graph":
                fields.append(each)
            seen.has_graph |= message == "Model" and child == "Graph" and each.wire == _BYTES
        _note(seen, message, fields, content=content, name=name)
    _check_seen(seen, name=name)


def _note(seen: _Seen, message: str, fields: list[_Field], *, content: memoryview, name: str) -> None:
    match message:
        case "Model":
            seen.has_ir_version = any(
                each.number == _IR_VERSION and each.wire == _VARINT and each.varint > 0 for each in fields
            )
        case "Tensor":
            _check_tensor(fields, name=name)
        case "Node":
            seen.operators |= _named(fields, domain=_NODE_DOMAIN, name=_NODE_OPERATOR, content=content)
        case "Function":
            seen.functions |= _named(fields, domain=_FUNCTION_DOMAIN, name=_FUNCTION_NAME, content=content)


def _check_tensor(fields: list[_Field], *, name: str) -> None:
    for each in fields:
        if each.number == _EXTERNAL_DATA or (each.number == _DATA_LOCATION and each.varint != 0):
            raise Invalid(
                f"{name} keeps its weights in another file; save it as one file (onnx.save without external data).",
                code="external_data",
                field="file",
            )


def _named(fields: list[_Field], *, domain: int, name: int, content: memoryview) -> set[tuple[str, str]]:
    """Every pair of the domains and names given; a message without a domain belongs to the default one."""
    domains = _texts(fields, domain, content=content) or {""}
    names = _texts(fields, name, content=content) or {""}
    return {(each_domain, each_name) for each_domain in domains for each_name in names}


def _texts(fields: list[_Field], number: int, *, content: memoryview) -> set[str]:
    return {
        bytes(content[each.start : each.end]).decode(errors="replace")
        for each in fields
        if each.number == number and each.wire == _BYTES
    }


def _check_seen(seen: _Seen, *, name: str) -> None:
    if not seen.has_ir_version or not seen.has_graph:
        raise _broken(name, "it names no ONNX version or holds no graph")
    foreign = {each for each in seen.operators - seen.functions if each[0] not in DOMAINS}
    if foreign:
        domain, operator = min(foreign)
        raise Invalid(
            f"{name} uses the operator {operator[:80]!r} of the domain {domain[:80]!r}, which needs a library of its own; "
            f"export with the operators of ai.onnx, ai.onnx.ml or com.microsoft only.",
            code="custom_operators",
            field="file",
        )


def _fields(content: memoryview, position: int, end: int, *, name: str) -> Iterator[_Field]:
    """The fields of the message between two positions, with where their bytes lie."""
    while position < end:
        tag, position = _varint(content, position, end, name=name)
        number, wire = tag >> 3, tag & 7
        varint, start = 0, position
        match wire:
            case _ if number == 0:
                raise _broken(name, "it is not a protobuf message")
            case 0:
                varint, position = _varint(content, position, end, name=name)
            case 1:
                position += 8
            case 5:
                position += 4
            case 2:
                length, start = _varint(content, position, end, name=name)
                position = start + length
            case _:
                raise _broken(name, "it is not a protobuf message of today")
        if position > end:
            raise _broken(name, "it is cut off")
        yield _Field(number, wire, varint, start, position)


def _varint(content: memoryview, position: int, end: int, *, name: str) -> tuple[int, int]:
    """The number at the position and the position after it; at most ten bytes, as protobuf writes them."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= end:
            raise _broken(name, "it is cut off")
        byte = content[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise _broken(name, "a number in it is too long")


def _broken(name: str, why: str) -> Invalid:
    return Invalid(
        f"{name} is neither an ONNX model nor a safetensors file: {why}. Export the model to ONNX, or save its weights as "
        "safetensors, and upload that.",
        code="unknown_artifact",
        field="file",
    )
