"""The address of a bucket, as an operator writes it."""

from pathlib import Path

import pytest

from config import env
from config.artifact_storage import storage_of

FOLDER = Path("artifacts")


def test_without_an_address_it_is_the_folder() -> None:
    assert storage_of("", folder=FOLDER)["OPTIONS"] == {"location": FOLDER}


def test_an_address_names_bucket_folder_endpoint_and_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "key")
    address = "s3://kept/models/new?endpoint=https://minio.test:9000&region=eu-west-1"
    options = storage_of(address, folder=FOLDER)["OPTIONS"]
    assert options.items() >= {
        ("bucket_name", "kept"),
        ("location", "models/new"),
        ("endpoint_url", "https://minio.test:9000"),
        ("region_name", "eu-west-1"),
        ("access_key", "id"),
        ("secret_key", "key"),
    }


def test_without_endpoint_region_and_key_they_are_those_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    options = storage_of("s3://kept", folder=FOLDER)["OPTIONS"]
    assert options["location"] == ""
    assert [options[name] for name in ("endpoint_url", "region_name", "access_key", "secret_key")] == [None] * 4


@pytest.mark.parametrize(
    "address",
    [
        "kept",
        "/var/artifacts",
        "https://kept.test/models",
        "s3://",
        "s3:///models",
        "s3://id:key@kept",
        "s3://kept?acl=x",
        "s3://kept?endpoint=minio:9000",
        "s3://kept?endpoint=",
    ],
)
def test_another_address_says_how_to_write_one(address: str) -> None:
    with pytest.raises(env.MissingVariable, match=r"Write WEIGHBRIDGE_ARTIFACTS like s3://bucket/folder\?endpoint="):
        storage_of(address, folder=FOLDER)
