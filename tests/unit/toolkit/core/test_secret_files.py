"""A file with a secret: made once, whole or not at all, and the same for all who start at once."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from weighbridge.core.secret_files import stored_secret


def test_it_is_made_once_and_read_by_its_owner_alone(tmp_path):
    path = tmp_path / "keys" / "django"
    assert (stored_secret(path, lambda: "one"), stored_secret(path, lambda: "two")) == ("one", "one")
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert list(path.parent.iterdir()) == [path]


def test_an_empty_file_of_a_killed_process_is_made_again(tmp_path):
    path = tmp_path / "key"
    path.touch()
    assert stored_secret(path, lambda: "one") == path.read_text() == "one"


def test_a_failure_leaves_nothing(tmp_path):
    def fails():
        raise MemoryError

    with pytest.raises(MemoryError):
        stored_secret(tmp_path / "key", fails)
    assert list(tmp_path.iterdir()) == []


def test_all_who_start_at_once_read_the_same(tmp_path):
    numbers = count()
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda _: stored_secret(tmp_path / "key", lambda: str(next(numbers))), range(200)))
    assert len(set(found)) == 1
    assert list(tmp_path.iterdir()) == [tmp_path / "key"]
