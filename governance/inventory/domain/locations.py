"""Where a model version may lie: an address that every reader can resolve, never a path of one machine."""

import re

from weighbridge.core.errors import Invalid

SCHEMES = ("https", "s3", "gs", "az", "hf", "oci", "docker", "mlflow")
# Host, bucket, account or organization, then a path. No user information: it would be a stored secret.
_PLACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*/[!-~]+")


def check_location(uri: str) -> None:
    """Raise Invalid unless `uri` is an absolute address with one of `SCHEMES`, a host or bucket, and a path."""
    scheme, _, place = uri.partition("://")
    if scheme not in SCHEMES or not _PLACE.fullmatch(place) or ".." in place.split("/"):
        known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
        text = f"The URI must be an address that others can reach, with a host or bucket and a path, one of: {known}."
        raise Invalid(f"{text} A path on one machine (file://) cannot be checked by anybody else.", field="uri")
