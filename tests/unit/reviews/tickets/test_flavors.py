"""Which flavor a server says it is, and what its version can do."""

import pytest

from reviews.tickets.jira.flavors import CLOUD, DATA_CENTER, identity_of, numbers_in, numbers_of
from reviews.tickets.jira.flavors.flavor import paged
from reviews.tickets.ports import Misconfigured

URL = "https://jira.example.org"


def told(deployment: object, *numbers: int) -> dict[str, object]:
    version = ".".join(map(str, numbers))
    return {"deploymentType": deployment, "versionNumbers": list(numbers), "version": version, "serverTitle": "Ours"}


def test_cloud_says_so() -> None:
    identity = identity_of(told("Cloud", 1001, 0, 0), url=URL)
    assert (identity.flavor, identity.words, identity.title) == (CLOUD, "Jira Cloud", "Ours")


@pytest.mark.parametrize("name", ["Server", "server", "Data Center", "DataCenter"])
def test_data_center_is_called_server_too(name: str) -> None:
    identity = identity_of(told(name, 10, 3, 1), url=URL)
    assert (identity.flavor, identity.words, identity.numbers) == (DATA_CENTER, "Jira Data Center 10.3.1", (10, 3, 1))


@pytest.mark.parametrize("deployment", [None, "", "Confluence", 5, ["Cloud"]])
def test_nothing_else_is_guessed(deployment: object) -> None:
    with pytest.raises(Misconfigured, match="Weighbridge supports Jira Cloud and Jira Data Center"):
        identity_of(told(deployment, 10, 0, 0), url=URL)


@pytest.mark.parametrize("numbers", [(8, 20, 1), ()])
def test_an_old_version_is_refused(numbers: tuple[int, ...]) -> None:
    with pytest.raises(Misconfigured, match="from version 9"):
        identity_of(told("Server", *numbers), url=URL)


@pytest.mark.parametrize(
    ("flavor", "numbers", "signs"),
    [
        (CLOUD, (1001, 0, 0), True),
        (DATA_CENTER, (9, 17, 5), False),
        (DATA_CENTER, (10, 0, 0), True),
        (DATA_CENTER, (11, 2), True),
        (DATA_CENTER, (), False),
    ],
)
def test_who_signs_webhooks(flavor: object, numbers: tuple[int, ...], signs: bool) -> None:
    assert flavor.signs_webhooks(numbers) is signs
    assert ("does not sign its webhooks" in " ".join(flavor.limits(numbers))) is not signs


@pytest.mark.parametrize(
    ("value", "numbers"), [([9, 12, 2], (9, 12, 2)), ("9.12", ()), ([9, "x", True], (9,)), (None, ())]
)
def test_the_numbers_of_a_version(value: object, numbers: tuple[int, ...]) -> None:
    assert numbers_of(value) == numbers


def test_the_numbers_in_a_text() -> None:
    assert numbers_in("10.3.1-m0001") == (10, 3)
    assert numbers_in("unknown") == ()


class Pages:
    """A paged list that never says where it ends."""

    def __init__(self, total: int | None, size: int) -> None:
        self.total, self.size, self.asked = total, size, 0

    def get_json(self, path: str, **params: str) -> dict[str, object]:
        self.asked += 1
        start = int(params["startAt"])
        entries = list(range(start, min(start + self.size, 25)))
        return {"values": entries} | ({} if self.total is None else {"total": self.total})


@pytest.mark.parametrize(("total", "asked"), [(25, 3), (None, 4)])
def test_a_paged_list_is_read_to_its_end(total: int | None, asked: int) -> None:
    api = Pages(total, 10)
    assert paged(api, "x", "values") == list(range(25))
    assert api.asked == asked
