"""The payload of an OpenSSF model signature: an in-toto statement about the files of a folder.

The format: predicate type https://model_signing/signature/v1.0 of https://github.com/sigstore/model-transparency.
Whether the payload was signed, and by whom, is for the caller to verify.
"""

from weighbridge.core.attestation import STATEMENT_TYPE
from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.subjects.manifest import Entry, subject_of
from weighbridge.subjects.paths import check_count
from weighbridge.subjects.subject import Subject, digest_in, name_in

PREDICATE_TYPE = "https://model_signing/signature/v1.0"
_ALGORITHM = "sha256"


def subject_of_statement(payload: object) -> Subject:
    """Return the folder that a statement of model signing is about, as a subject of the kind `manifest`.

    Raises Invalid for statements of another type, for shards or other digests than SHA-256, and for a root digest that
    is not that of the files. Keys that version 1.0 does not know are ignored, as its specification asks.
    """
    reader = Reader(payload)
    reader.constant("_type", STATEMENT_TYPE)
    reader.constant("predicateType", PREDICATE_TYPE)
    predicate = reader.mapping("predicate")
    _check_method(predicate.mapping("serialization"))
    name, expected = _own_subject(reader)
    resources = predicate.plain("resources")
    if not isinstance(resources, list | tuple):
        raise predicate.fault("resources", "must be a list.")
    check_count(len(resources), field="predicate.resources")
    entries = [_entry(Reader(each, path=f"predicate.resources[{place}]")) for place, each in enumerate(resources)]
    found = subject_of(entries, name=name, field="predicate.resources")
    if found.digest != expected:
        text = f"The statement is about {expected}, but the files that it lists have the root digest {found.digest}."
        raise Invalid(text, code="root_digest", field="subject")
    return found


def _own_subject(reader: Reader) -> tuple[str, str]:
    subjects = reader.plain("subject")
    if not isinstance(subjects, list | tuple) or len(subjects) != 1:
        raise reader.fault("subject", "must be a list of one subject, the folder.")
    subject = Reader(subjects[0], path="subject[0]")
    return name_in(subject, "name", ""), digest_in(subject.mapping("digest"), _ALGORITHM)


def _check_method(serialization: Reader) -> None:
    if serialization.text("method") != "files":
        raise serialization.fault("method", "must be files; sign the folder again without shards.")
    if serialization.text("hash_type") != _ALGORITHM:
        raise serialization.fault("hash_type", "must be sha256; sign the folder again with SHA-256.")


def _entry(resource: Reader) -> Entry:
    path = resource.plain("name")
    if resource.text("algorithm") != _ALGORITHM or not isinstance(path, str):
        raise resource.fault("name", "must be the path of a file with a digest of the algorithm sha256.")
    return Entry(path, digest_in(resource, "digest"))
