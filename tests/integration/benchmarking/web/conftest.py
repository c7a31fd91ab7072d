"""A browser of a person: a test client that is logged in."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def as_(db: None) -> Callable[[User], Client]:
    """A client logged in as the person."""

    def client(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return client
