"""The glossary as pages read it, and the `?` beside a term."""

import pytest
from django.template import Context, Template

from governance.site.domain.glossary import GlossaryTerm, read_sections, sections, term_of

TEXT = """# Glossary

| Term | Meaning | In code |
| --- | --- | --- |
| before | Outside a section. | |

## One

| Term | Meaning | In code |
| --- | --- | --- |
| review request, request | A team's application. | `ReviewRequest` |
| doubt | Why a request is in doubt. | `RequestDoubt` |

## Two

| Term | Meaning | In code |
| --- | --- | --- |
| doubt | Why data is in doubt. | |

## Words of addresses

| Word | Of what | Where |
| --- | --- | --- |
| `absences` | not a term | both |
"""


def test_sections_have_their_terms_and_each_anchor_occurs_once() -> None:
    one, two = read_sections(TEXT)
    assert (one.title, two.title) == ("One", "Two")
    assert one.terms == (
        GlossaryTerm(("review request", "request"), "A team's application.", "review-request"),
        GlossaryTerm(("doubt",), "Why a request is in doubt.", "doubt"),
    )
    assert two.terms == (GlossaryTerm(("doubt",), "Why data is in doubt.", "doubt-2"),)


def test_the_page_of_the_documentation_is_the_source_and_its_anchors_differ() -> None:
    anchors = [term.anchor for section in sections() for term in section.terms]
    assert len(anchors) == len(set(anchors)) > 150
    assert sections()[0].title == "The request"


def test_no_term_stands_twice() -> None:
    """A `?` beside a term can show one meaning only."""
    names = [name for section in sections() for term in section.terms for name in term.names]
    assert [name for name in names if names.count(name) > 1] == []


def test_a_term_is_found_by_each_of_its_names() -> None:
    assert term_of("frontier") is term_of("Pareto frontier")
    assert term_of("doubt").anchor == "doubt"
    with pytest.raises(KeyError):
        term_of("no such term")


def drawn(source: str) -> str:
    return Template("{% load weighbridge %}" + source).render(Context({}))


def test_the_mark_is_a_link_to_the_glossary_with_the_meaning() -> None:
    mark = drawn('{% term "template" %}')
    assert 'href="/help/glossary/#template"' in mark
    assert 'aria-label="What is template?"' in mark
    assert 'data-term="Template"' in mark
    assert f'data-meaning="{term_of("template").meaning}"' in mark
    assert "{{ name }}" in mark


def test_a_section_shows_the_mark_of_its_term_alone() -> None:
    assert 'href="/help/glossary/#basis"' in drawn('{% section "How" term="basis" %}x{% endsection %}')
    assert "data-term" not in drawn('{% section "How" %}x{% endsection %}')


def test_text_between_backticks_is_code_and_escaped() -> None:
    assert drawn("{{ '`<b>` is one'|with_code }}") == "<code>&lt;b&gt;</code> is one"
