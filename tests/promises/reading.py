"""Reads a page as a browser would, and says what on it could act."""

from html.parser import HTMLParser

from django.contrib.auth.models import User
from django.test import Client

LINK_OF_A_PERSON = ("a", "noopener nofollow")
"""A web address in a comment becomes a link, which does nothing until somebody follows it."""
RUNS = {"href", "src", "action", "formaction", "data", "poster", "xlink:href", "srcdoc", "background"}


class Page(HTMLParser):
    """The elements of a page and what of it could act."""

    def __init__(self, content: str, *, url: str) -> None:
        super().__init__()
        self.url, self.faults, self.text = url, [], ""
        self.feed(content)
        if f"<img src={url}" in content or f"<svg onload=fetch('{url}" in content:
            self.faults.append("a payload stands there unescaped")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        is_link = (tag, dict(attrs).get("rel")) == LINK_OF_A_PERSON
        for name, value in attrs:
            if is_link and name == "href" and (value or "").startswith(("http://", "https://")):
                continue
            acts = name.startswith("on") or name in {"style", "ping", "srcset"} or name in RUNS
            word = (value or "").strip().lower()
            if (acts and self.url in word) or (name in RUNS and word.startswith("javascript:")):
                self.faults.append(f"<{tag} {name}={value}>")

    def handle_data(self, data: str) -> None:
        self.text += data


def entered(user: User) -> Client:
    """The browser of somebody who is logged in."""
    client = Client()
    client.force_login(user)
    return client
