"""The tags of forms that are sent by POST: token, errors, fields, one button; a wrong address is refused."""

import re

import pytest
from django import forms
from django.middleware.csrf import CsrfViewMiddleware
from django.template import Context, RequestContext, Template


class Plain(forms.Form):
    """One field that must be filled."""

    title = forms.CharField()


class WithFile(Plain):
    """A field that holds a file."""

    file = forms.FileField()


def shown(source: str, **context: object) -> str:
    """Render a template text; runs of white space are one space, and none is before `>`."""
    page = Template("{% load forms %}" + source).render(Context({"csrf_token": "made-up", **context}))
    return " ".join(page.split()).replace(" >", ">")


def test_a_form_has_its_token_its_fields_and_one_button():
    page = shown('{% form f "Save" action="/a/#b" kind="primary" note="Once." %}{% endform %}', f=Plain())
    assert page.startswith('<form class="stack" method="post" action="/a/#b">')
    assert 'name="csrfmiddlewaretoken" value="made-up"' in page
    assert page.count('name="title"') == page.count("<button") == 1
    assert 'class="button button-primary" type="submit"> Save </button> <span class="soft small">Once.</span>' in page
    assert "error" not in page


def test_what_the_block_contains_takes_the_place_of_the_fields():
    page = shown('{% form f "Save" %}<p>{{ said }}</p>{% endform %}', f=Plain(), said="<i>")
    assert "<p>&lt;i&gt;</p>" in page
    assert 'name="title"' not in page
    page = shown('{% form f "Save" %}<p>First.</p>{% fields f %}{% endform %}', f=Plain())
    assert page.index("First.") < page.index('name="title"')
    assert 'name="title"' in shown('{% form f "Save" %}\n  {% endform %}', f=Plain())


def test_each_error_leads_to_its_field():
    page = shown('{% form f "Save" anchor="here" %}{% endform %}', f=Plain({}, auto_id="own-%s"))
    assert page.startswith('<form id="here" class="stack" method="post">')
    assert '<a href="#own-title">Title</a>: This field is required.' in page
    assert 'id="own-title"' in page


@pytest.mark.parametrize(("kind", "is_multipart"), [(Plain, False), (WithFile, True)])
def test_a_form_with_a_file_is_sent_in_parts(kind, is_multipart):
    page = shown('{% form f "Save" %}{% endform %}', f=kind())
    assert ('enctype="multipart/form-data"' in page) is is_multipart


def test_a_button_alone_sends_its_value():
    page = shown('{% post_button "Drop" "/a/" size="small" name="id" value=7 about=row classes="row" %}', row="<1>")
    assert page == (
        '<form class="row" method="post" action="/a/"> '
        '<input type="hidden" name="csrfmiddlewaretoken" value="made-up"> '
        '<button class="button button-small" type="submit" name="id" value="7"> '
        'Drop<span class="visually-hidden"> &lt;1&gt;</span> </button> </form>'
    )


@pytest.mark.parametrize("source", ['{% form f "Save" action=a %}{% endform %}', '{% post_button "Save" a %}'])
@pytest.mark.parametrize("address", ["", "#here", "https://elsewhere.example/", "javascript:go()"])
def test_an_address_that_is_not_of_this_site_is_refused(source, address):
    with pytest.raises(ValueError, match=r"^The address '.*' of 'Save' is not an address of this site\.$"):
        shown(source, f=Plain(), a=address)


@pytest.mark.parametrize("source", ['{% form f "Save" %}{% endform %}', '{% post_button "Save" %}'])
def test_the_token_reaches_a_template_that_is_included_without_the_page(source, rf):
    request = rf.get("/")
    inner = Template("{% load forms %}" + source)
    outer = RequestContext(request, {"inner": inner, "f": Plain(), "csrf_token": "hidden"}, processors=[])
    page = Template("{% include inner with f=f only %}").render(outer)
    (token,) = re.findall('name="csrfmiddlewaretoken" value="([A-Za-z0-9]{64})"', page)
    request.COOKIES["csrftoken"], request.method = request.META["CSRF_COOKIE"], "POST"
    request.POST = {"csrfmiddlewaretoken": token}
    assert CsrfViewMiddleware(lambda _: None).process_view(request, lambda _: None, (), {}) is None


@pytest.mark.parametrize("source", ['{% form f "Save" %}{% endform %}', '{% post_button "Save" %}'])
def test_a_form_without_the_token_of_its_request_is_refused(source):
    with pytest.raises(KeyError, match="csrf_token"):
        Template("{% load forms %}" + source).render(Context({"f": Plain()}))
