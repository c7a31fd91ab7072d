"""Pages as tests read them."""

import html
import re

from django.http import HttpResponse


def html_of(response: HttpResponse) -> str:
    """The HTML of a page, runs of white space made one: how a template is laid out is no business of a test."""
    return re.sub(r" (?=>)", "", re.sub(r"[ \n]+", " ", response.content.decode()))


def undo_form(response: HttpResponse) -> dict[str, str]:
    """The fields of the form with the button *Undo*."""
    page = html_of(response)
    form = page[page.index('action="/undo/"') :].partition("</form>")[0]
    return {name: html.unescape(value) for name, value in re.findall(r'name="(token|page)" value="([^"]*)"', form)}
