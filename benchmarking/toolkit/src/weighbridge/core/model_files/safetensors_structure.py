"""Validation of safetensors files: a bounded JSON header, and tensors that fill the rest without a gap.

The format: https://github.com/huggingface/safetensors#format. A file with gaps could hide another format.
"""

from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.core.parsing.limits import DocumentLimits

MAX_HEADER_BYTES = 5_000_000  # some 50,000 tensors; the format allows 100 MB, which takes too much memory
_HEADER = DocumentLimits(bytes_max=MAX_HEADER_BYTES, depth_max=4)
_LENGTH_BYTES = 8
_BITS = {
    **dict.fromkeys(("F4",), 4),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0"), 8),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 16),
    **dict.fromkeys(("U32", "I32", "F32"), 32),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 64),
}
_MAX_ELEMENTS = 2**63


class _Broken(Exception):  # noqa: N818 -- never leaves this module
    """The reason why the header is invalid."""


def is_safetensors(content: memoryview) -> bool:
    """Return True if the bytes start like safetensors: a header length that fits, then a JSON object."""
    if len(content) <= _LENGTH_BYTES:
        return False
    return content[_LENGTH_BYTES] == ord("{") and _header_end(content) <= len(content)


def check_safetensors(content: memoryview, *, name: str) -> None:
    """Raise Invalid unless the header is valid and describes exactly the bytes that follow it."""
    try:
        spans = _spans(_header(content))
        _check_spans(spans, size_bytes=len(content) - _header_end(content))
    except _Broken as broken:
        text = f"{name} is a damaged safetensors file: {broken}. Save it again with the safetensors library."
        raise Invalid(text, code="damaged_artifact", field="file") from broken


def _header_end(content: memoryview) -> int:
    return _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "little")


def _header(content: memoryview) -> dict[str, object]:
    end = _header_end(content)
    if end - _LENGTH_BYTES > MAX_HEADER_BYTES:
        raise _Broken("its header is too long")
    try:
        header: dict[str, object] = parse_json(bytes(content[_LENGTH_BYTES:end]), name="it", limits=_HEADER)
    except Invalid as error:
        raise _Broken(f"its header is not valid JSON: {error.reason.partition(': ')[2].rstrip('.')}") from error
    return header  # an object, because is_safetensors checked the opening brace


def _spans(header: dict[str, object]) -> list[tuple[int, int]]:
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise _Broken("its metadata is not a map of text to text")
    return sorted(_span(tensor) for tensor in header.values())


def _span(tensor: object) -> tuple[int, int]:
    """Return the byte range of a tensor, checked against its type and shape."""
    if not isinstance(tensor, dict) or set(tensor) != {"dtype", "shape", "data_offsets"}:
        raise _Broken("a tensor is not described by dtype, shape and data_offsets")
    offsets, dtype = _whole_numbers(tensor["data_offsets"]), tensor["dtype"]
    if len(offsets) != 2:
        raise _Broken("a tensor has no start and end")
    if not isinstance(dtype, str) or dtype not in _BITS:
        raise _Broken("a tensor has an unknown type")
    bits = _elements(_whole_numbers(tensor["shape"])) * _BITS[dtype]
    if bits % 8 or offsets[1] - offsets[0] != bits // 8:
        raise _Broken("the size of a tensor does not match its shape")
    return offsets[0], offsets[1]


def _whole_numbers(value: object) -> list[int]:
    if not isinstance(value, list) or not all(type(item) is int and 0 <= item < _MAX_ELEMENTS for item in value):
        raise _Broken("a shape or an offset is not a list of whole numbers")
    return value


def _elements(shape: list[int]) -> int:
    elements = 1
    for length in shape:
        elements *= length
        if elements >= _MAX_ELEMENTS:
            raise _Broken("a tensor is too large")
    return elements


def _check_spans(spans: list[tuple[int, int]], *, size_bytes: int) -> None:
    expected = 0
    for begin, end in spans:
        if begin != expected:
            raise _Broken("its tensors overlap or leave a gap")
        expected = end
    if expected != size_bytes:
        raise _Broken("its tensors do not fill the file")
