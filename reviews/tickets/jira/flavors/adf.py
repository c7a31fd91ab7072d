"""Convert blocks to the Atlassian Document Format (ADF) of API version 3, and ADF to text."""

from typing import Any
from urllib.parse import urlsplit

from reviews.tickets.jira.flavors.texts import fitting, marker_text, plain_length
from reviews.tickets.ports import Block, Fields, Heading, Link, Paragraph

Node = dict[str, Any]

_INLINE = {"text", "hardBreak", "mention", "emoji", "inlineCard", "date", "status"}


def document(blocks: tuple[Block, ...]) -> Node:
    """The blocks as one ADF document, cut after a block if Jira would refuse its length."""
    return {"type": "doc", "version": 1, "content": [_node(block) for block in fitting(blocks, length=plain_length)]}


def marked_document(blocks: tuple[Block, ...], *, marker: str) -> Node:
    """The same with the marker of the comment as its last line, so that the comment is never added twice."""
    result = document(blocks)
    result["content"].append({"type": "paragraph", "content": [_text(marker_text(marker), marks=[{"type": "code"}])]})
    return result


def prose(node: Any) -> str:
    """The text of an ADF node for people, one line per block. A node of unknown shape has no text."""
    if isinstance(node, list):
        return "".join(prose(child) for child in node)
    if not isinstance(node, dict):
        return ""
    if node.get("type") in _INLINE:
        return _inline_text(node)
    inner = prose(node.get("content"))
    is_block = isinstance(node.get("content"), list) and any(
        isinstance(child, dict) and child.get("type") in _INLINE for child in node["content"]
    )
    return f"{inner}\n" if is_block and not inner.endswith("\n") else inner


def _node(block: Block) -> Node:
    match block:
        case Heading(text):
            return {"type": "heading", "attrs": {"level": 3}, "content": _inline(text)}
        case Paragraph(text):
            return {"type": "paragraph", "content": _inline(text)}
        case Fields(rows):
            return {"type": "table", "content": [_row(name, value) for name, value in rows]}
        case Link(text, url):
            return {"type": "paragraph", "content": [_link(text, url)]}


def _row(name: str, value: str) -> Node:
    return {"type": "tableRow", "content": [_cell("tableHeader", name), _cell("tableCell", value)]}


def _cell(kind: str, text: str) -> Node:
    return {"type": kind, "attrs": {}, "content": [{"type": "paragraph", "content": _inline(text)}]}


def _inline(text: str) -> list[Node]:
    nodes: list[Node] = []
    for number, line in enumerate(text.splitlines()):
        if number:
            nodes.append({"type": "hardBreak"})
        if line:  # ADF does not allow empty text
            nodes.append(_text(line))
    return nodes


def _link(text: str, url: str) -> Node:
    if urlsplit(url).scheme not in {"http", "https"}:
        return _text(f"{text} {url}".strip() or "-")
    return _text(text or url, marks=[{"type": "link", "attrs": {"href": url}}])


def _text(text: str, *, marks: list[Node] | None = None) -> Node:
    return {"type": "text", "text": text} | ({"marks": marks} if marks else {})


def _inline_text(node: Node) -> str:
    attributes = node.get("attrs")
    values: Node = attributes if isinstance(attributes, dict) else {}
    if node["type"] == "hardBreak":
        return "\n"
    text = node.get("text") or values.get("text") or values.get("shortName") or values.get("url") or ""
    return text if isinstance(text, str) else ""
