"""Pages obey a strict content policy: nothing inline, nothing from another site, everything escaped. Every
template that is named exists, and every one that exists is named.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from tests.architecture.tree import ROOT, is_packet, name_of, parsed, sources, templates

UNESCAPED = re.compile(r"\|\s*(safe|safeseq)\b|{%\s*autoescape\s+off")
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)[^>]*>|<style\b|\sstyle\s*=\s*[\"'{]|\son[a-z]+\s*=\s*[\"']|\bhx-on\b|javascript:"
    r"|<script[^>]*>\s*[^\s<]",
    re.IGNORECASE,
)
FOREIGN = re.compile(
    r"\b(src|href|srcset|action|formaction|poster|data|hx-get|hx-post)\s*=\s*[\"']\s*(https?:)?//", re.IGNORECASE
)
FOREIGN_ASSET = re.compile(
    r"url\(\s*[\"']?(https?:)?//|@import\s+(url\()?[\"']?(https?:)?//|\bfrom\s+[\"'](https?:)?//"
    r"|(fetch|import)\(\s*[\"'](https?:)?//"
)

INCLUDED = re.compile(r"{%\s*(?:include|extends)\s+[\"']([^\"']+)")
TEMPLATE = re.compile(r"[a-z][\w/*-]*\.html")
FOUND_BY_THEIR_PLACE = re.compile(r"(account|allauth|mfa)/.*|(4\d\d|403_csrf|500)\.html")


def found(pattern: re.Pattern[str], text: str) -> list[str]:
    """What the pattern finds outside template comments, with its line."""
    text = re.sub(
        r"{#.*?#}|{%\s*comment.*?endcomment\s*%}", lambda m: "\n" * m.group().count("\n"), text, flags=re.DOTALL
    )
    return [f"line {text.count(chr(10), 0, m.start()) + 1}: {m.group().strip()}" for m in pattern.finditer(text)]


def offenses(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    return [f"{name_of(path)} {offense}" for path in paths for offense in found(pattern, path.read_text())]


def pages() -> list[Path]:
    return [path for path in templates() if not is_packet(path)]


def assets() -> list[Path]:
    """Scripts and styles we wrote; vendored files lie in folders named `vendor`."""
    own = [path for app in ("governance", "benchmarking", "reviews") for path in (ROOT / app).rglob("static/**/*")]
    return sorted(path for path in own if path.suffix in {".css", ".js", ".mjs"} and "vendor" not in path.parts)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (UNESCAPED, "{{ title|safe }}"),
        (UNESCAPED, "{% autoescape off %}"),
        (INLINE, "<script>go()</script>"),
        (INLINE, '<script src="a.js">go()</script>'),
        (INLINE, '<p style="color: red">'),
        (INLINE, "<style>p {}</style>"),
        (INLINE, '<button onclick="go()">'),
        (INLINE, '<a href="javascript:go()">'),
        (FOREIGN, '<img src="https://example.org/a.png">'),
        (FOREIGN, "<link href='//cdn.example.org/a.css'>"),
        (FOREIGN_ASSET, "@import url(https://example.org/a.css)"),
        (FOREIGN_ASSET, 'import x from "https://example.org/a.js"'),
    ],
)
def test_an_offense_is_seen(pattern: re.Pattern[str], text: str) -> None:
    assert len(found(pattern, text)) == 1
    assert found(pattern, f"{{# {text} #}}") == []


@pytest.mark.parametrize(
    "text",
    [
        '<script type="module" src="{% static \'weighbridge/app.js\' %}"></script>',
        '<svg xmlns="http://www.w3.org/2000/svg"><rect width="3"/></svg>',
        '<a href="{{ ticket.url }}" class="on-hold">',
    ],
)
def test_what_is_allowed_is_not_an_offense(text: str) -> None:
    assert [found(pattern, text) for pattern in (UNESCAPED, INLINE, FOREIGN, FOREIGN_ASSET)] == [[], [], [], []]


def test_every_template_escapes() -> None:
    assert offenses(UNESCAPED, templates()) == []


def test_no_page_holds_an_inline_script_or_style() -> None:
    assert offenses(INLINE, pages()) == []


def test_no_page_loads_from_another_site() -> None:
    assert offenses(FOREIGN, templates()) == []
    assert offenses(FOREIGN_ASSET, [*templates(), *assets()]) == []


def text_of(node: ast.AST) -> str:
    """What a string says; a star stands for each part that is filled in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else ""


def named_in(tree: ast.AST) -> Iterator[str]:
    return (text_of(node) for node in ast.walk(tree) if TEMPLATE.fullmatch(text_of(node)))


def unlike(names: set[str], others: set[str]) -> list[str]:
    """The names no other name is like, whichever holds a star; what Django and allauth find by place is let be."""
    asked = (name for name in names if not FOUND_BY_THEIR_PLACE.fullmatch(name))
    return sorted(name for name in asked if not any(is_like(name, other) for other in others))


def is_like(name: str, other: str) -> bool:
    """Whether two names, either of which may hold a star, can be the same from the first folder on."""
    one, two = PurePosixPath("/", name), PurePosixPath("/", other)
    return one.match(str(two)) or two.match(str(one))


def test_a_name_is_read_from_every_kind_of_string() -> None:
    code = ast.parse("render('a/b.html', f'c/{kind}.html', f'{name}.html', 'in a/b.html')")
    assert sorted(named_in(code)) == ["a/b.html", "c/*.html"]
    assert unlike({"a/b.html", "c/*.html", "404.html"}, {"c/d.html"}) == ["a/b.html"]
    assert unlike({"c/d.html", "c/e/f.html", "b/c/d.html"}, {"c/*.html"}) == ["b/c/d.html", "c/e/f.html"]


def test_every_named_template_exists_and_every_template_is_named() -> None:
    exist = {path.relative_to(ROOT / "templates").as_posix() for path in templates()}
    named = {name for path in templates() for name in INCLUDED.findall(path.read_text())}
    named |= {name for path in sources() for name in named_in(parsed(path))}
    assert (unlike(named, exist), unlike(exist, named)) == ([], [])


CLASSES = re.compile(r'\bclass="([^"]*)"')


def test_every_class_of_a_page_has_a_style() -> None:
    styles = "".join(path.read_text() for path in assets())
    used = {
        name
        for path in pages()
        for names in CLASSES.findall(path.read_text())
        for name in re.sub(r"{%.*?%}|{{.*?}}", " ", names).split()
        if not name.endswith("-")
    }
    assert sorted(name for name in used if not re.search(rf"\.{name}\b", styles)) == []


POSTED = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
OF_THE_COMPONENT = {"class", "id", "method", "enctype", "action"}
BUTTON, OWN_CONTROL = re.compile(r"forms/button\.html|<button\b"), re.compile(r"<(input|select|textarea)\b")
WRITTEN_OUT = {
    "templates/account/login.html": "its errors are told without the summary of forms that are saved",
    "templates/account/logout.html": "a link beside the button",
    "templates/governance/notifications/unsubscribe.html": "the signed address of the mail is its token",
    "templates/governance/operations/findings.html": "its controls are in the rows of the list, the button in a fold",
    "templates/reviews/discussions/_fragments/comment.html": "sends where it was written, in fields of its own",
}
"""Pages with a form that the tags `form` and `post_button` do not make, and why."""


def is_plain(attributes: str, body: str) -> bool:
    """Whether the tag `form` or `post_button` can make a form: posted, one button, no control of its own."""
    names = set(re.sub(r'="({%.*?%}|[^"])*"|{%.*?%}', " ", attributes, flags=re.DOTALL).split())
    is_posted = 'method="post"' in attributes and names <= OF_THE_COMPONENT
    return is_posted and len(BUTTON.findall(body)) == 1 and not OWN_CONTROL.search(body)


@pytest.mark.parametrize(
    ("attributes", "body", "is_refused"),
    [
        ('method="post" action="{% url \'a:b\' c %}"', "{{ form }}<button>Save</button>", True),
        ('class="stack" method="post"', '{% include "components/forms/button.html" with label="Save" only %}', True),
        ('method="get"', "<button>Filter</button>", False),
        ('method="post" hx-post="/x/"', "<button>Save</button>", False),
        ('method="post" novalidate', "<button>Save</button>", False),
        ('method="post"', "<button>Save</button><button>Send</button>", False),
        ('method="post"', '<input name="a"><button>Save</button>', False),
    ],
)
def test_a_plain_form_is_recognized(attributes: str, body: str, is_refused: bool) -> None:
    assert is_plain(attributes, body) is is_refused


def test_plain_forms_are_made_by_the_tags() -> None:
    own = [path for path in pages() if "components" not in path.parts]
    found = {name_of(path) for path in own if any(is_plain(*form) for form in POSTED.findall(path.read_text()))}
    assert found == set(WRITTEN_OUT)
