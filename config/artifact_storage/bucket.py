"""A bucket that behaves as a folder does: files are streamed, and a failure is an OSError."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import IO, Any, cast

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage
from storages.utils import clean_name
from urllib3.exceptions import HTTPError

CONNECT_S, READ_S, ATTEMPTS_MAX = 5, 60, 3
PROBE_CONNECT_S, PROBE_READ_S = 2, 3


class ArtifactBucket(S3Storage):  # type: ignore[misc]  # django-storages has no types
    """The files of a bucket, by name."""

    def __init__(self, **options: Any) -> None:
        """`options` are those of S3Storage."""
        client = _client_config(has_endpoint=bool(options.get("endpoint_url")))
        # Threads of a transfer would hold a part of the file each.
        super().__init__(client_config=client, transfer_config=TransferConfig(use_threads=False), **options)

    def exists(self, name: str) -> bool:
        """Whether there is a file of that name."""
        with _os_errors(name):
            return bool(super().exists(name))

    def size(self, name: str) -> int:
        """Its size in bytes."""
        with _os_errors(name):
            return int(super().size(name))

    def delete(self, name: str) -> None:
        """Remove the file, if there is one."""
        with _os_errors(name):
            super().delete(name)

    def check_response(self) -> None:
        """Raise OSError unless the bucket responds within seconds. Nothing is written."""
        quick = Config(connect_timeout=PROBE_CONNECT_S, read_timeout=PROBE_READ_S, retries={"total_max_attempts": 1})
        options = {"endpoint_url": self.endpoint_url, "region_name": self.region_name, "verify": self.verify}
        with _os_errors(self.bucket_name):
            client = self._create_session().client("s3", config=self.client_config.merge(quick), **options)
            client.head_bucket(Bucket=self.bucket_name)

    def _save(self, name: str, content: Any) -> str:
        with _os_errors(name):
            return str(super()._save(name, content))

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        with _os_errors(name):
            found = self.bucket.Object(self._normalize_name(clean_name(name))).get()
        return File(cast("IO[bytes]", _Stream(found["Body"], name)), name)


class _Stream:
    """The content of a file, read as it arrives."""

    def __init__(self, body: Any, name: str) -> None:
        self._body, self._name = body, name

    def read(self, size: int = -1) -> bytes:
        with _os_errors(self._name):
            return bytes(self._body.read(None if size < 0 else size))

    def close(self) -> None:
        self._body.close()


def _client_config(*, has_endpoint: bool) -> Config:
    return Config(
        connect_timeout=CONNECT_S,
        read_timeout=READ_S,
        retries={"total_max_attempts": ATTEMPTS_MAX, "mode": "standard"},
        # Storages other than Amazon's seldom resolve a bucket as a host name, and do not all know the newer checksums.
        s3={"addressing_style": "path" if has_endpoint else "auto"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


@contextmanager
def _os_errors(name: str) -> Iterator[None]:
    """Raise what the object storage says as the OSError of a folder; EREMOTEIO if it cannot be reached."""
    try:
        yield
    except ClientError as error:
        # Anything else that is answered 404 may come from a proxy, or be about the bucket.
        if error.response["Error"]["Code"] == "NoSuchKey":
            raise FileNotFoundError(errno.ENOENT, "There is no such file in the bucket", name) from error
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        number = errno.ENOSPC if status == HTTPStatus.INSUFFICIENT_STORAGE else errno.EREMOTEIO
        raise OSError(number, str(error), name) from error
    except (BotoCoreError, HTTPError) as error:
        raise OSError(errno.EREMOTEIO, str(error), name) from error
