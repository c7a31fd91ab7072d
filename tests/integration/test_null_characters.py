"""A null character, which no text of PostgreSQL can hold, is refused wherever a text is looked up; never an error of
the server.
"""

import pytest
from django import forms
from django.urls import get_resolver
from rest_framework import serializers

from governance.site.api.shapes import Input, read
from tests.edges import below

pytestmark = pytest.mark.django_db


def looked_up() -> list[tuple[type[Input], str]]:
    assert get_resolver().url_patterns  # every edge is imported now
    related = serializers.SlugRelatedField
    return [
        (kind, name)
        for kind in below(Input)
        for name, field in kind._declared_fields.items()
        if isinstance(field, related)
    ]


def test_no_input_of_the_api_asks_the_database_for_one() -> None:
    fields = looked_up()
    assert len(fields) >= 5
    for kind, name in fields:
        with pytest.raises(serializers.ValidationError) as refusal:
            read(kind, {name: "some\0body"})
        assert refusal.value.detail[name] == ["Null characters are not allowed."], kind


def chosen() -> list[tuple[type[forms.BaseForm], str, forms.ModelChoiceField]]:
    assert get_resolver().url_patterns
    return [
        (kind, name, field)
        for kind in below(forms.BaseForm)
        for name, field in kind.base_fields.items()
        if isinstance(field, forms.ModelChoiceField)
    ]


def test_no_choice_of_a_page_asks_the_database_for_one() -> None:
    fields = chosen()
    assert len(fields) >= 4
    for _, _, field in fields:
        with pytest.raises(forms.ValidationError):
            field.clean("some\0body")
