"""An approval signs digests, so the files behind them are hashed again before it."""

from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from governance.findings.models import Finding
from governance.inventory.actions import artifacts, stored_files
from reviews.authorizations.models import Authorization
from reviews.evidence.models import ChecklistAnswer
from reviews.voting.models import Vote
from reviews.workflow.actions import review
from tests.integration.reviews.workflow.worlds import World


@pytest.mark.parametrize("which", ["the model", "the data", "an answer"])
def test_nothing_is_signed_for_a_file_that_was_swapped(world: World, which: str) -> None:
    request = world.evidence()
    held = artifacts.store(upload=ContentFile(b"a reviewed report", name="report.txt"), by=None, now=world.now)
    ChecklistAnswer.objects.filter(request=request).update(file_digest=held.digest, file_name="report.txt")
    request = review.request_review(request=request, by=world.cast.author, now=world.now)
    for voter in (world.cast.reviewer_one, world.cast.reviewer_two):
        request = world.vote(request, voter)
    assert request.dataset is not None
    digests = {"the model": request.model_version.digest, "the data": request.dataset.digest, "an answer": held.digest}
    path = Path(storages["artifacts"].path(stored_files.name_of(digests[which])))
    content = path.read_bytes()
    path.write_bytes(bytes(len(content)))
    votes = Vote.objects.count()
    with pytest.raises(stored_files.DamagedFile, match=digests[which]):
        world.vote(request, world.cast.approver, stage_id="gpu-budget")
    assert (Vote.objects.count(), Authorization.objects.count()) == (votes, 0)
    assert Finding.objects.get(kind="artifact.damaged").subject == digests[which]
    path.write_bytes(content)
    assert world.vote(request, world.cast.approver, stage_id="gpu-budget").state == "decided"
