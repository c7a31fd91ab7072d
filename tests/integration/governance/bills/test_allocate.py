"""The form that proposes a rule for selected lines: what it adds to, what it takes, and what it keeps apart."""

from decimal import Decimal

import pytest

from governance.bills.actions import allocation
from governance.bills.models import AllocationVersion
from governance.bills.queries import allocation as rules_in
from governance.people.approvals import actions as approvals
from governance.people.approvals.models import Change
from tests.factories.allocation import RULES, publish_rules
from tests.factories.bills import csv_bytes, row
from tests.factories.changes import REASON, publish
from tests.factories.snapshots import snapshot
from tests.pages import html_of
from weighbridge.core.errors import WrongState

pytestmark = pytest.mark.django_db
OLD = {"visual-search", "shared-gpus"}


@pytest.fixture
def bill(version, cast, now, read):
    publish_rules(cast=cast, now=now)
    return read(csv_bytes([row(Tags="", SkuId=f"sku-{number}") for number in (1, 2, 3)]))


@pytest.fixture
def allocate(bill, as_):
    """Propose a rule for an SKU as a person does."""

    def proposed(user, sku):
        client = as_(user)
        address = client.get(f"/bills/{bill.pk}/allocate/?sku={sku}", follow=True).redirect_chain[-1][0]
        assert client.post(address, {"account": "ads", "rule": sku, "reason": REASON}).status_code == 302
        return Change.objects.latest("pk")

    return proposed


def rules_of(version):
    return {each.id for each in rules_in.parse(version.source).rules}


def in_force():
    return rules_of(rules_in.published())


def refused(change, by, now, reason):
    before = snapshot()
    with pytest.raises(WrongState, match=reason):
        approvals.confirm(change=change, by=by, now=now)
    assert snapshot() == before


def test_a_rule_that_is_added_to_what_waits_waits_for_it(allocate, cast, now):
    first, second = allocate(cast.finance, "sku-1"), allocate(cast.approver, "sku-2")
    refused(second, cast.admin, now, f"It adds to version 2, which {first} proposes. Decide on that first.")
    approvals.confirm(change=first, by=cast.admin, now=now)
    assert in_force() == {*OLD, "sku-1"}
    approvals.confirm(change=second, by=cast.finance, now=now)
    assert in_force() == {*OLD, "sku-1", "sku-2"}


def test_a_refused_rule_does_not_come_back(allocate, cast, now):
    first, second = allocate(cast.finance, "sku-1"), allocate(cast.approver, "sku-2")
    approvals.refuse(change=first, reason="Search pays for it.", by=cast.admin, now=now)
    for person in (cast.admin, cast.finance):
        refused(second, person, now, "It adds to version 2, but that is not in force. Propose the rule again.")
    third = allocate(cast.approver, "sku-2")
    approvals.confirm(change=third, by=cast.finance, now=now)
    assert in_force() == {*OLD, "sku-2"}
    assert AllocationVersion.objects.get(number=3).state == "draft"
    refused(second, cast.admin, now, "which was written later, is in force")


def test_what_adds_to_a_version_that_was_overtaken_cannot_be_confirmed(allocate, cast, now):
    first = allocate(cast.finance, "sku-1")
    publish_rules(cast=cast, now=now)
    later = allocate(cast.finance, "sku-2")
    refused(first, cast.admin, now, "Version 3, which was written later, is in force")
    approvals.confirm(change=later, by=cast.admin, now=now)
    assert in_force() == {*OLD, "sku-2"}


def test_a_rule_on_no_rules_is_overtaken_by_the_first_rules(version, cast, now, read, as_):
    bill, whole = read(csv_bytes([row(Tags="")])), allocation.draft(source=RULES, by=cast.finance, now=now)
    given = {"account": "ads", "rule": "first", "reason": REASON}
    assert as_(cast.finance).post(f"/bills/{bill.pk}/allocate/?sku=x", given).status_code == 302
    change = Change.objects.get(kind="allocation", state="pending")
    publish(version=whole, cast=cast, now=now)
    refused(change, cast.admin, now, "It adds to no other rules, but that is not in force.")


def test_the_page_of_a_change_shows_the_rules_that_differ(allocate, cast, now, as_):
    first, second = allocate(cast.finance, "sku-1"), allocate(cast.approver, "sku-2")
    client = as_(cast.admin)
    told = f"It adds to version 2, which {first} proposes. Decide on that first."
    page = client.get(f"/changes/{second.pk}/")
    assert (page.context["cannot_confirm"], page.context["cannot_apply"]) == ("", told)
    (only,) = page.context["differences"]
    assert (only.path, only.before) == ("sku-2", None)
    assert only.after == "match: {subaccounts: ['200'], skus: [sku-2], tags: {model: []}}, account: ads"
    html = html_of(page)
    assert told in html
    assert f"/changes/{second.pk}/confirm/" not in html
    approvals.confirm(change=first, by=cast.admin, now=now)
    page = client.get(f"/changes/{second.pk}/")
    assert page.context["cannot_apply"] == ""
    assert f"/changes/{second.pk}/confirm/" in html_of(page)
    closed = client.get(f"/changes/{first.pk}/")
    assert [each.path for each in closed.context["differences"]] == ["sku-1"]


def test_the_page_of_whole_rules_shows_what_they_take_away(bill, cast, now, as_):
    whole = AllocationVersion.objects.get().source
    fewer = whole[: whole.index("  - id: shared-gpus")].replace("account: search", "account: ads")
    client = as_(cast.finance)
    client.post("/allocation-rules/new/", {"source": fewer, "save": "1"})
    client.post("/allocation-rules/2/propose/", {"reason": REASON})
    change = Change.objects.latest("pk")
    found = client.get(f"/changes/{change.pk}/").context["differences"]
    pattern, model = "match: {tags: {model: [visual-search, vs-*]}}", "model: search/visual-search"
    assert [tuple(each) for each in found] == [
        ("shared-gpus", "match: {subaccounts: [shared*], tags: {model: []}}, account: ads", None),
        ("visual-search", f"{pattern}, account: search, {model}", f"{pattern}, account: ads, {model}"),
    ]
    assert client.get("/allocation-rules/new/").context["form"].initial["source"] == whole
    approvals.confirm(change=change, by=cast.admin, now=now)
    assert client.get(f"/changes/{change.pk}/").context["differences"] is None


def test_a_selection_that_cannot_be_kept_apart_says_how_to_narrow_it(version, cast, now, read, as_):
    publish_rules(cast=cast, now=now)
    bill = read(csv_bytes([row(Tags='{"model":"x"}'), row(Tags="")]))
    client = as_(cast.finance)
    form = client.get(f"/bills/{bill.pk}/allocate/?service=AmazonSageMaker", follow=True)
    assert (form.status_code, form.context["overlap"].id) == (200, "visual-search")
    ((title, address),) = form.context["narrow"]
    assert title == "Tag model"
    assert [each.label for each in client.get(address).context["rows"]] == ["none", "x"]
    before = snapshot()
    given = {"account": "ads", "rule": "r", "reason": REASON}
    assert client.post(f"/bills/{bill.pk}/allocate/?service=AmazonSageMaker", given).status_code == 400
    assert snapshot() == before


def test_a_value_with_a_star_is_not_taken_for_what_it_begins_with(version, cast, read, as_):
    bill = read(csv_bytes([row(SkuId="gpu*"), row(SkuId="gpu-2")]))
    form = as_(cast.finance).get(f"/bills/{bill.pk}/allocate/?sku=gpu*")
    assert (form.context["taken"].lines, form.context["takes_others"]) == (2, True)
    assert "This is not what is selected" in html_of(form)


def test_other_lines_are_counted_even_if_they_cost_nothing(version, cast, read, as_):
    others = (row(SkuId="gpu-2", EffectiveCost="3"), row(SkuId="gpu-3", EffectiveCost="-3", ChargeCategory="Credit"))
    bill = read(csv_bytes([row(SkuId="gpu*"), *others]))
    form = as_(cast.finance).get(f"/bills/{bill.pk}/allocate/?sku=gpu*")
    assert form.context["taken"].costs == form.context["selected"] == {"USD": Decimal(8)}
    assert (form.context["taken"].lines, form.context["selected_lines"], form.context["takes_others"]) == (3, 1, True)
    assert "Selected and unallocated: 1 line," in " ".join(html_of(form).split())


def test_a_selection_is_not_narrowed_to_what_no_address_may_hold(version, cast, now, read, as_):
    publish_rules(cast=cast, now=now)
    rows = [row(Tags=f'{{"model":"m{number}"}}', SkuId=f"s{number}") for number in range(19)]
    bill = read(csv_bytes(rows))
    skus = "&".join(f"sku=s{number}" for number in range(40))
    form = as_(cast.finance).get(f"/bills/{bill.pk}/allocate/?{skus}", follow=True)
    assert (form.status_code, form.redirect_chain) == (200, [])
    assert form.context["overlap"].id == "visual-search"
