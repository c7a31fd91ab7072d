"""Reading pages as a person would: logged in, by their visible words."""

import re
from html import unescape

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from reviews.requests.models import ReviewRequest


def enter(user: User) -> Client:
    """A browser in which the person is logged in."""
    client = Client()
    client.force_login(user)
    return client


def words(response: HttpResponse) -> str:
    """The page's text without tags, runs of space made one."""
    text = re.sub(r"<(script|svg|template)\b.*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def page_of(request: ReviewRequest, tab: str = "") -> str:
    """The address of a request, or of one of its tabs."""
    return f"/requests/{request.ref}/{tab}/" if tab else f"/requests/{request.ref}/"


def said(response: HttpResponse) -> list[str]:
    """The messages a redirect leads to."""
    return [str(message) for message in response.context["messages"]]
