"""Writing the next version of a policy in a form."""

import pytest

from governance.rulebook.models import PolicyVersion
from governance.rulebook.queries import rulebook
from tests.pages import html_of


def url(policy):
    return f"/rulebook/policies/{policy.name}/{policy.number}/form/"


def filled(answer, **changes):
    """What the page would send, with some fields changed."""
    rules = answer.context["rules"]
    sent = {
        f"{rules.management_form.prefix}-{name}": field.initial for name, field in rules.management_form.fields.items()
    }
    sent |= {f"form-{name}": value for name, value in rules.management_form.initial.items()}
    for form in rules:  # the empty one for a new rule included, as a browser sends it
        sent |= {form[name].html_name: form[name].value() for name in form.fields if name != "DELETE"}
    return {key: "" if value is None else value for key, value in sent.items()} | changes


def test_a_limit_is_changed_and_saved_as_a_draft(as_, policy, approver):
    client = as_(approver)
    answer = client.get(url(policy))
    saved = client.post(url(policy), filled(answer, **{"form-0-limit": "250"}))
    draft = PolicyVersion.objects.latest("pk")
    assert saved.headers["Location"] == f"/rulebook/policies/{policy.name}/{draft.number}/"
    assert (draft.state, draft.written_by) == ("draft", approver)
    (change,) = rulebook.changes(before=policy, after=draft)
    assert (change.path, change.before, change.after) == ("rules[training-gpu-hours].limit", "200 GPU h", "250 GPU h")


def test_a_message_that_still_tells_of_the_old_limit_is_pointed_out(as_, policy, approver):
    client, words = as_(approver), "The message names a number that is not the limit."
    old = html_of(client.get(f"/rulebook/policies/{policy.name}/{policy.number}/"))
    saved = client.post(url(policy), filled(client.get(url(policy)), **{"form-0-limit": "250"}))
    new = html_of(client.get(saved.headers["Location"]))
    assert (old.count(words), new.count(words)) == (0, 1)
    assert words in new.partition('id="rule-training-gpu-hours"')[2].partition("</tr>")[0]


def test_a_rule_is_added_and_another_removed(as_, policy, approver):
    client = as_(approver)
    answer = client.get(url(policy))
    number = len(answer.context["rules"].initial_forms)
    new = {
        "id": "small-enough",
        "metric": "model_size_mb",
        "statistic": "value",
        "comparator": "at_most",
        "limit": "100.5",
        "accept": "measured",
        "effect": "deny",
        "on_indeterminate": "",
        "level": "hard",
        "message": "Too large.",
    }
    added = {f"form-{number}-{name}": value for name, value in new.items()}
    client.post(url(policy), filled(answer, **added, **{"form-0-DELETE": "on"}))
    changes = rulebook.changes(before=policy, after=PolicyVersion.objects.latest("pk"))
    assert {each.path for each in changes} == {"rules[training-gpu-hours]", "rules[small-enough]"}


@pytest.mark.parametrize(
    ("changes", "place", "reason"),
    [
        ({"form-0-limit": "many"}, (0, "limit"), "Enter a number."),
        ({"form-0-statistic": "lower"}, (0, "statistic"), "a wider interval would pass more easily"),
        ({"form-0-effect": "deny", "form-0-on_indeterminate": "advise"}, (0, "on_indeterminate"), "at least as strict"),
    ],
)
def test_a_fault_stands_beside_its_field_and_nothing_is_kept(as_, policy, approver, changes, place, reason):
    client, before = as_(approver), PolicyVersion.objects.count()
    answer = client.post(url(policy), filled(client.get(url(policy)), **changes))
    rules = answer.context["rules"]
    assert reason in str(rules.forms[place[0]].errors[place[1]])
    assert (answer.status_code, PolicyVersion.objects.count()) == (400, before)


def test_a_policy_without_rules_is_refused_above_the_form(as_, policy, approver):
    client, before = as_(approver), PolicyVersion.objects.count()
    page = client.get(url(policy))
    gone = {f"form-{number}-DELETE": "on" for number in range(len(page.context["rules"].initial_forms))}
    answer = client.post(url(policy), filled(page, **gone))
    assert (answer.status_code, PolicyVersion.objects.count()) == (400, before)
    assert "A policy without rules would clear all requests" in html_of(answer)


def test_only_who_writes_policies_is_let_in(as_, policy, author, reviewer_one):
    assert [as_(each).get(url(policy)).status_code for each in (author, reviewer_one)] == [403, 403]
    assert url(policy) not in html_of(as_(author).get(f"/rulebook/policies/{policy.name}/{policy.number}/"))
