"""The page of a search, and the results in the palette."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from governance.operations.web.places import may_see_tables
from governance.people.web.current_user import person_of, user_of
from reviews.search.domain import TEXT_CHARS_MAX, HitGroup, SearchHit, reference_in
from reviews.search.queries.hits import groups_of
from reviews.search.queries.references import page_of


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """`/search/`: a reference leads to its page; words list what they find."""
    words, person = _words(request), person_of(request)
    reference = reference_in(words)
    path = page_of(reference, person=person, now=timezone.now()) if reference else None
    if path:
        return redirect(path)
    context = {
        "words": words,
        "groups": groups_of(words, person=person, sees_tables=may_see_tables(user_of(request))),
        "reference": reference,
    }
    return render(request, "reviews/search/search.html", context)


@require_safe
def suggestions(request: HttpRequest) -> HttpResponse:
    """`/search/suggestions/`: the hits as the palette shows them while a person types."""
    words, person = _words(request), person_of(request)
    reference = reference_in(words)
    path = page_of(reference, person=person, now=timezone.now()) if reference else None
    groups = groups_of(words, person=person, sees_tables=may_see_tables(user_of(request)))
    if path:
        groups = (HitGroup("Reference", (SearchHit(words.strip(), path),)), *groups)
    return render(request, "reviews/search/_fragments/hits.html", {"words": words, "groups": groups})


def _words(request: HttpRequest) -> str:
    return request.GET.get("q", "").strip()[:TEXT_CHARS_MAX]
