"""Atlassian Document Format: is it one, and how does it read as HTML. Atlassian's OpenAPI leaves it free-form."""

from html import escape
from typing import Any

BLOCKS = frozenset(
    {"paragraph", "heading", "bulletList", "orderedList", "table", "rule", "codeBlock", "blockquote", "panel"}
)
INLINES = frozenset({"text", "hardBreak", "inlineCard", "mention", "emoji"})
CHILDREN: dict[str, frozenset[str]] = {
    "doc": BLOCKS,
    "paragraph": INLINES,
    "heading": INLINES,
    "codeBlock": frozenset({"text"}),
    "blockquote": frozenset({"paragraph", "bulletList", "orderedList"}),
    "panel": frozenset({"paragraph", "heading", "bulletList", "orderedList"}),
    "bulletList": frozenset({"listItem"}),
    "orderedList": frozenset({"listItem"}),
    "listItem": frozenset({"paragraph", "bulletList", "orderedList", "codeBlock"}),
    "table": frozenset({"tableRow"}),
    "tableRow": frozenset({"tableHeader", "tableCell"}),
    "tableHeader": BLOCKS - {"table"},
    "tableCell": BLOCKS - {"table"},
}
NEVER_EMPTY = frozenset(
    {"bulletList", "orderedList", "listItem", "table", "tableHeader", "tableCell", "blockquote", "panel"}
)
LEAVES = frozenset({"text", "hardBreak", "rule", "inlineCard", "mention", "emoji"})
MARKS = frozenset({"code", "em", "link", "strike", "strong", "subsup", "textColor", "underline"})


def fault_in(document: object) -> str:
    """The first thing that keeps `document` from being ADF, or "" where it is."""
    if not isinstance(document, dict) or document.get("type") != "doc":
        return "the root is not a doc"
    if document.get("version") != 1:
        return "version is not 1"
    return _fault(document, "doc")


def _fault(node: dict[str, Any], path: str) -> str:
    kind = node["type"]
    if kind in LEAVES:
        return _text_fault(node, path) if kind == "text" else ""
    content = node.get("content", [] if kind in {"paragraph", "heading", "codeBlock"} else None)
    if not isinstance(content, list):
        return f"{path} has no content"
    if not content and kind in NEVER_EMPTY:
        return f"{path} is empty"
    if kind == "heading" and node.get("attrs", {}).get("level") not in range(1, 7):
        return f"{path} has no level from 1 to 6"
    for number, child in enumerate(content):
        name = child.get("type") if isinstance(child, dict) else None
        if name not in CHILDREN[kind]:
            return f"{path} may not hold {name!r}"
        if found := _fault(child, f"{path}.{name}[{number}]"):
            return found
    return ""


def _text_fault(node: dict[str, Any], path: str) -> str:
    if not isinstance(node.get("text"), str) or not node["text"]:
        return f"{path} has no text"
    names = [mark.get("type") for mark in node.get("marks", [])]
    if unknown := set(names) - MARKS:
        return f"{path} has unknown marks {sorted(map(str, unknown))}"
    if "code" in names and set(names) - {"code", "link"}:
        return f"{path} combines code with another mark"
    if any(mark["type"] == "link" and not mark.get("attrs", {}).get("href") for mark in node.get("marks", [])):
        return f"{path} links nowhere"
    return ""


def text_length(node: object) -> int:
    """How many characters of text a node holds."""
    if isinstance(node, dict):
        return len(node.get("text", "")) + text_length(node.get("content", []))
    return sum(text_length(child) for child in node) if isinstance(node, list) else 0


TAGS = {
    "paragraph": "p",
    "blockquote": "blockquote",
    "bulletList": "ul",
    "orderedList": "ol",
    "listItem": "li",
    "table": "table",
    "tableRow": "tr",
    "tableHeader": "th",
    "tableCell": "td",
    "codeBlock": "pre",
    "panel": "aside",
}


def as_html(node: dict[str, Any]) -> str:
    """A valid document as HTML; every text is escaped."""
    kind = node["type"]
    if kind == "text":
        return _marked(escape(node["text"]), node.get("marks", []))
    if kind == "hardBreak":
        return "<br>"
    inside = "".join(as_html(child) for child in node.get("content", []))
    if kind == "doc":
        return inside
    tag = f"h{node['attrs']['level']}" if kind == "heading" else TAGS.get(kind)
    return f"<{tag}>{inside}</{tag}>" if tag else inside


def _marked(text: str, marks: list[dict[str, Any]]) -> str:
    for mark in marks:
        if mark["type"] == "link":
            text = f'<a href="{escape(mark["attrs"]["href"])}">{text}</a>'
        elif mark["type"] in {"code", "em", "strong"}:
            text = f"<{mark['type']}>{text}</{mark['type']}>"
    return text
