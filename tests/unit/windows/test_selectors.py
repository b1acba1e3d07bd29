from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.errors import Invalid
from controlplane.domain.selectors import Operator, parse_selector, subject_of

SUBJECT = {"stage": "production", "size": "small", "tier": "gold", "team": "a/b.c"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("stage=production", True),
        ("stage==production", True),
        ("stage = poc", False),
        ("stage!=poc", True),
        ("stage!=production", False),
        ("nothing!=x", True),
        ("nothing=x", False),
        ("size in (micro, small)", True),
        ("size in (micro)", False),
        ("size notin (micro,large)", True),
        ("nothing notin (a)", True),
        ("tier", True),
        ("!tier", False),
        ("!nothing", True),
        ("nothing", False),
        ("stage=production,size in (small,large),!nothing", True),
        ("stage=production,size=large", False),
        ("team=a/b.c", True),
        ("in=x", False),
    ],
)
def test_a_selector_matches_as_kubernetes_does(text: str, matches: bool) -> None:
    assert parse_selector(text).matches(SUBJECT) is matches


@pytest.mark.parametrize(
    "text",
    [
        "=x",
        "a=b=c",
        "a in b",
        "a in ()",
        "a in (b,)",
        "a in (b",
        "a,,b",
        ",",
        "a b",
        "a;b",
        "a='x'",
        "a>1",
        "a in (b,c) d",
    ],
)
def test_what_cannot_be_read_is_refused_with_the_grammar(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_selector(text)
    assert "k in (a,b)" in caught.value.hint


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(Invalid):
        parse_selector(text).matches(SUBJECT)


keys = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)


@given(key=keys, values=st.sets(keys, min_size=1), subject=st.dictionaries(keys, keys))
def test_in_and_notin_are_opposites(key: str, values: set[str], subject: dict[str, str]) -> None:
    listed = f"({','.join(sorted(values))})"
    inside, outside = parse_selector(f"{key} in {listed}"), parse_selector(f"{key} notin {listed}")
    assert inside.matches(subject) != outside.matches(subject)
    assert inside.matches(subject) == (subject.get(key) in values)


def test_a_label_never_hides_a_field() -> None:
    subject = subject_of({"stage": "production", "password": "x"}, {"stage": "poc", "tier": "gold"})
    assert subject == {"stage": "production", "tier": "gold"}


def test_terms_tell_a_query_what_to_ask_for() -> None:
    stage, tier = parse_selector("stage!=poc,tier in (a,b)").terms
    assert (stage.key, stage.operator, stage.values, stage.is_field) == (
        "stage",
        Operator.NOT_IN,
        {"poc"},
        True,
    )
    assert (tier.operator, tier.values, tier.is_field) == (Operator.IN, {"a", "b"}, False)
