"""Mentions and links in a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.discussions.domain.mentions import TextKind, TextPiece, check_few, is_part_of_name, names_in, pieces
from weighbridge.core.errors import Invalid


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@ada look", ("ada",)),
        ("thanks @ada.lovelace.", ("ada.lovelace",)),
        ("(@ada), @bob: and @ada", ("ada", "bob")),
        ("@ada@example.org", ("ada@example.org",)),
        ("write to ada@example.org", ()),
        ("100 rps @ 20 ms, model@3", ()),
        ("https://x.test/@ada and @bob_1+x-2", ("bob_1+x-2",)),
        ("@", ()),
        ("@@ada", ()),
        ("line\n@ada\n", ("ada",)),
        ("@Ünal", ("Ünal",)),
    ],
)
def test_words_that_may_be_user_names(text: str, names: tuple[str, ...]) -> None:
    assert names_in(text) == names


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see https://a.test/x.", ["https://a.test/x"]),
        ("(http://a.test/x?y=1&z=2)", ["http://a.test/x?y=1&z=2"]),
        ("HTTPS://A.TEST", ["HTTPS://A.TEST"]),
        ("javascript:alert(1) data:x ftp://a.test", []),
        ('https://a.test/"><script>', ["https://a.test/"]),
        ("https://", []),
    ],
)
def test_what_is_a_link(text: str, links: list[str]) -> None:
    assert [each.text for each in pieces(text, people=()) if each.kind is TextKind.LINK] == links


@given(st.text(alphabet=st.sampled_from('@ab. :/<>\n"https') | st.characters(codec="utf-8"), max_size=80))
def test_the_pieces_are_the_text(text: str) -> None:
    for people in ((), names_in(text), names_in(text)[:1]):
        found = list(pieces(text, people=people))
        assert "".join(each.text for each in found) == text
        assert all(each.text for each in found)
        assert {each.text for each in found if each.kind is TextKind.MENTION} == {f"@{name}" for name in people}


def test_twenty_people_are_enough() -> None:
    check_few([f"p{n}" for n in range(20)])
    with pytest.raises(Invalid, match=r"A comment mentions at most 20 people."):
        check_few([f"p{n}" for n in range(21)])


@pytest.mark.parametrize(
    "text",
    ["<style>@import url(https://a.test/x);</style>", "@Override", "@media print", "for @everyone", "@eve"],
)
def test_a_word_after_an_at_sign_that_is_nobody_stays_text(text: str) -> None:
    assert TextKind.MENTION not in {each.kind for each in pieces(text, people=("ada", "bob"))}


def test_a_piece_keeps_its_kind() -> None:
    assert list(pieces("a @b https://c.test", people=("b", "c"))) == [
        TextPiece(TextKind.PLAIN, "a "),
        TextPiece(TextKind.MENTION, "@b"),
        TextPiece(TextKind.PLAIN, " "),
        TextPiece(TextKind.LINK, "https://c.test"),
    ]


def test_what_can_begin_a_user_name() -> None:
    assert all(map(is_part_of_name, ("", "a", "ada.lovelace", "Ä", "a+b@c-d", "a" * 150)))
    assert not any(map(is_part_of_name, ("a b", "%", "a\x00", "a\n", "/", "a" * 151)))
