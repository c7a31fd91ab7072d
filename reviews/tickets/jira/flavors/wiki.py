"""Convert blocks to the wiki markup of API version 2, and wiki markup to text.

The markup is Jira's text formatting notation. Every character of a text that could be markup is escaped, so that no
text of a request changes the form of a ticket.
"""

import html
import re
from urllib.parse import quote, urlsplit

from reviews.tickets.jira.flavors.texts import fitting, marker_text
from reviews.tickets.ports import Block, Fields, Heading, Link, Paragraph

_MARKUP = re.compile(
    r"(?P<entity>&(?=#?\w+;))|(?P<backslash>\\)|(?P<mark>[{}\[\]|!]"
    r"|(?<![A-Za-z0-9])[*_+^~#?-]|[*_+^~#?-](?![A-Za-z0-9]))|^(?P<command>[hb])(?=[1-6q]\.)"
    r"|(?P<emoticon>\((?=(?:[a-z]|\*[a-z]?|on|off|flag|flagoff|[/!+?-])\))|[:;](?=-?[()dp])|<(?=/?3))",
    re.MULTILINE | re.IGNORECASE,
)
"""Between two letters or digits, `*_+^~#?-` are no markup. A line that begins with `h1.` or `bq.` is a command. Jira
shows `(x)`, `(/)` or `:D` as a picture.
"""
_ESCAPED = re.compile(r"\\([{}\[\]|!*_+^~#?-])")
_URL_SAFE = "%/:=&?~#+,;@()$'*."


def document(blocks: tuple[Block, ...]) -> str:
    """The blocks as wiki markup, cut after a block if Jira would refuse its length."""
    return "\n\n".join(_markup(block) for block in fitting(blocks, length=lambda block: len(_markup(block))))


def marked_document(blocks: tuple[Block, ...], *, marker: str) -> str:
    """The same with the marker of the comment as its last line, so that the comment is never added twice."""
    return f"{document(blocks)}\n\n{{{{{escaped(marker_text(marker))}}}}}".lstrip("\n")


def prose(text: object) -> str:
    """Wiki markup as people read it: without the escapes. Anything but a text has none."""
    if not isinstance(text, str):
        return ""
    return html.unescape(_ESCAPED.sub(r"\1", text)).replace("\r\n", "\n")


def escaped(text: str) -> str:
    """The text with every character escaped that Jira could read as markup."""
    return _MARKUP.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if match["entity"]:
        return "&amp;"
    return f"\\{character}" if match["mark"] else f"&#{ord(character)};"


def _markup(block: Block) -> str:
    match block:
        case Heading(text):
            return f"h3. {escaped(_one_line(text))}"
        case Paragraph(text):
            return escaped("\n".join(text.splitlines()))
        case Fields(rows):
            return "\n".join(f"||{_cell(name)}|{_cell(value)}|" for name, value in rows)
        case Link(text, url):
            return _link(text, url)


def _cell(text: str) -> str:
    """A cell is one line; `\\\\` breaks the line inside it, and an empty cell needs a blank."""
    return " \\\\ ".join(escaped(line) for line in text.splitlines() if line.strip()) or " "


def _link(text: str, url: str) -> str:
    if urlsplit(url).scheme not in {"http", "https"}:
        return escaped(_one_line(f"{text} {url}")) or "\\-"
    address = quote(url, safe=_URL_SAFE)
    return f"[{escaped(_one_line(text))}|{address}]" if text.strip() else f"[{address}]"


def _one_line(text: str) -> str:
    return " ".join(text.split())
