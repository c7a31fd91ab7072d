"""Pages as tests read them."""

import re

from django.http import HttpResponse


def html_of(response: HttpResponse) -> str:
    """The HTML of a page, runs of white space made one: how a template is laid out is no business of a test."""
    return re.sub(r" (?=>)", "", re.sub(r"[ \n]+", " ", response.content.decode()))
