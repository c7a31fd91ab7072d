"""The shortest way through each planted hole: what the search has to find, and what the verdict has to see."""

from collections.abc import Callable, Mapping

from tests.promises.adversary.machine import Adversary

Story = Callable[[Adversary], object]


def _lies_about(artifact: str) -> Story:
    return lambda walk: walk.file_with_lies(pick=0, artifact=artifact)


def _vote_then(after: Story) -> Story:
    """Whoever is held approves the request that is voted on; then the honest lead does."""

    def story(walk: Adversary) -> None:
        walk.approve(pick=0, place=0, stage="technical")
        after(walk)
        walk.honest_people_vote(is_all=False)

    return story


def _two_of_the_team(walk: Adversary) -> None:
    walk.prepare(who="author", pick=0, artifact="fresh", is_voted=False)
    for pick in (0, 1):
        walk.approve(pick=pick, place=0, stage="technical")
    walk.honest_people_vote(is_all=False)


def _lead_of_the_team(walk: Adversary) -> None:
    walk.prepare(who="author", pick=0, artifact="fresh", is_voted=False)
    for who in ("reviewer_one", "reviewer_two"):
        walk.call(who, "post", f"requests/{walk.refs()[0]}/votes/", {"stage": "technical", "choice": "approve"})
    walk.approve(pick=0, place=0, stage="gpu-budget")


STORIES: Mapping[str, Story] = {
    "a rejection is forgotten": _lies_about("rejected"),
    "a revocation is forgotten": _lies_about("revoked"),
    "an open review is forgotten": _lies_about("pending"),
    "another team clears a rejected artifact": _lies_about("rejected"),
    "conditions fall away": lambda walk: walk.prepare(who="author", pick=0, artifact="conditional", is_voted=True),
    "a total below its parts is believed": lambda walk: walk.file_a_total_below_its_parts(pick=0, place="dev"),
    "the uploader votes": _vote_then(lambda _: None),
    "a former owner votes": _vote_then(lambda _: None),
    "two reviewers of the team suffice": _two_of_the_team,
    "a lead approves the budget of their team": _lead_of_the_team,
    "a vote outlives its role": _vote_then(lambda walk: walk.honest_admin_takes_the_roles()),
    "naming an owner voids a vote": lambda walk: walk.name_owner(pick=0, slug="voted", to="reviewer_one"),
}
