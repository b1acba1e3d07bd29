"""tenant.yaml: what is read, and that whatever is wrong is told with file and line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.errors import Invalid
from controlplane.domain.review import desired
from controlplane.domain.review.desired import Document
from controlplane.services.reviews.reading import read

PATH = "tenants/acme/tenant.yaml"
SPEC = {
    "slug": "acme",
    "display_name": "Acme & Söhne: #1",
    "stage": "poc",
    "size": "micro",
    "region": "us-east-1",
    "storage_gb": 20,
    "paying": False,
    "labels": {"team": "a", "on": "yes", "n": "1"},
}


def test_what_is_written_is_read_back() -> None:
    found = read(PATH, desired.write(SPEC))
    assert found.values == SPEC
    assert found.lines["display_name"] == 3


def test_windows_line_ends_are_no_difference() -> None:
    text = desired.write(SPEC)
    assert read(PATH, text.replace("\n", "\r\n")).values == read(PATH, text).values


_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff"), max_size=30)


@given(_TEXT, st.dictionaries(_TEXT.filter(bool), _TEXT, max_size=4))
def test_any_text_comes_back_as_it_was(name: str, labels: dict[str, str]) -> None:
    spec = {"slug": "acme", "display_name": name, "labels": labels}
    found = read(PATH, desired.write(spec)).values
    assert found.get("display_name", "") == name
    assert found.get("labels", {}) == labels


BOMB = 'a: &a ["x","x"]\nb: &b [*a,*a]\nslug: acme\n'
BAD = [
    (BOMB, 1, "anchors"),
    ("slug: acme\nsize: *x\n", 2, "alias"),
    ("slug: acme\nsize: !!python/object/apply:os.system [id]\n", 2, "tag"),
    ("slug: acme\nsize: small\nsize: large\n", 3, "twice"),
    ("slug: acme\nlabels:\n  a: b\n  a: c\n", 4, "twice"),
    ("slug: acme\nlabels:\n  a:\n    b: c\n", 4, "deep"),
    ("slug: acme\nlabels: [a, b]\n", 2, "lists"),
    ("slug: acme\n? [a]\n: b\n", 2, "name"),
    ("- slug\n", 1, "fields"),
    ("", 1, "fields"),
    ("just words\n", 1, "fields"),
    ("slug: acme\n---\nslug: beta\n", 3, "one file"),
    ('slug: "acme\n', 2, ""),
    ("slug: acme\n\tsize: small\n", 2, ""),
    ("slug: ac\x00me\n", 1, ""),
    ("slug: acme\n" + "x: " + "[" * 5000, 2, "lists"),
    ("slug: acme\n" + "".join(f"k{n}: v\n" for n in range(2000)), 500, "more"),
    ("# " + "x" * 70_000, 1, "larger"),
]


@pytest.mark.parametrize(("text", "line", "words"), BAD, ids=[f"{n}-{b[2]}" for n, b in enumerate(BAD)])
def test_bad_yaml_is_told_with_file_and_line(text: str, line: int, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(PATH, text)
    assert caught.value.message.startswith(f"{PATH}:{line}: ")
    assert words in caught.value.message


def document(**values: object) -> Document:
    given = {"slug": "acme", **values}
    return Document(PATH, given, {name: n for n, name in enumerate(given, 1)})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"colour": "red"}, "no such field"),
        ({"size": 3}, "text"),
        ({"storage_gb": "20"}, "whole number"),
        ({"storage_gb": True}, "whole number"),
        ({"paying": "yes"}, "true or false"),
        ({"labels": "a"}, "mapping"),
        ({"labels": {"a": 1}}, "every label"),
        ({"slug": "beta"}, "one tenant, one folder"),
    ],
)
def test_a_field_of_the_wrong_kind_is_told_with_its_line(values: dict[str, object], words: str) -> None:
    doc = document(**values)
    with pytest.raises(Invalid, match=words) as caught:
        desired.check(doc, "acme")
    assert f"{PATH}:{doc.lines[next(iter(values))]}: " in caught.value.message


def test_a_file_without_a_slug_is_refused() -> None:
    with pytest.raises(Invalid, match="slug: is missing"):
        desired.check(Document(PATH, {"size": "small"}, {"size": 1}), "acme")


CURRENT = {"slug": "acme", "size": "micro", "storage_gb": 20, "users": 3, "labels": {}, "region": "us-east-1"}


@pytest.mark.parametrize(
    ("values", "kind", "body"),
    [
        ({"size": "small"}, "resize", {"size": "small"}),
        ({"size": "small", "storage_gb": 40}, "resize", {"size": "small", "storage_gb": 40}),
        ({"users": 9, "storage_gb": 20}, "describe", {"users": 9}),
        ({"labels": {"a": "b"}}, "describe", {"labels": {"a": "b"}}),
    ],
)
def test_a_change_of_the_file_is_a_request(values: dict[str, object], kind: str, body: object) -> None:
    assert desired.wanted(document(**values), CURRENT) == desired.Wanted(kind, body)


def test_what_nobody_knows_is_created() -> None:
    found = desired.wanted(document(size="small"), None)
    assert found == desired.Wanted("create", {"slug": "acme", "size": "small"})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "asks for nothing"),
        ({"region": "eu-west-1"}, "cannot be changed"),
        ({"stage": "production"}, "tenant upgrade"),
        ({"size": "small", "users": 9}, "in one review"),
    ],
)
def test_what_cannot_be_asked_so_is_refused(values: dict[str, object], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        desired.wanted(document(**values), CURRENT)
