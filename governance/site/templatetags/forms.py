"""Template tags of forms that are sent by POST: `{% load forms %}`."""

from typing import Any

from django import template
from django.forms import BaseForm
from django.middleware.csrf import get_token
from django.template.context import Context
from django.template.loader import render_to_string

register = template.Library()


@register.inclusion_tag("components/forms/fields.html")
def fields(form: BaseForm) -> dict[str, Any]:
    """All fields of a form, in its order: `{% fields form %}`."""
    return {"form": form}


@register.simple_block_tag(takes_context=True)
def form(
    context: Context, content: str, form: BaseForm, label: str, action: str | None = None, **more: str | None
) -> str:
    """A form with its errors, its fields and one button: `{% form form "Save" action=address %}{% endform %}`.

    What the block contains takes the place of the fields; `{% fields form %}` shows them there. `kind`, `size`, `icon`,
    `name`, `value` and `about` belong to the button, `note` is the text beside it; `anchor` is the id of the form,
    `classes` are its classes. Without an address the form is sent to its own page. Raises as `post_button`.
    """
    values = {"form": form, "content": content, "label": label, "action": action, "classes": "stack", **more}
    return _posted("components/forms/form.html", context, values)


@register.simple_tag(takes_context=True)
def post_button(context: Context, label: str, action: str | None = None, **more: str | None) -> str:
    """A button that takes a step at once: `{% post_button "Cancel" address kind="danger" %}`; options as of `form`.

    Raises ValueError for an address that is not of this site: `{% url … as address %}` is silent about a wrong name.
    """
    return _posted("components/forms/post_button.html", context, {"label": label, "action": action, **more})


def _posted(name: str, context: Context, values: dict[str, Any]) -> str:
    action = values["action"]
    if action is not None and not action.startswith("/"):
        raise ValueError(f"The address {action!r} of {values['label']!r} is not an address of this site.")
    return render_to_string(name, {**values, "csrf_token": _token_of(context)})


def _token_of(context: Context) -> str:
    """The token of the request, which `{% include … only %}` keeps from the page. KeyError without both."""
    request = getattr(context, "request", None)
    return context["csrf_token"] if request is None else get_token(request)
