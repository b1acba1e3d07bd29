"""Reviews on a host, with real git behind its API: shown, approved, commented on and merged there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from controlplane.services import operations as asking
from controlplane.services import tenants
from controlplane.services.reviews import asking as reviews
from tests.contract.github.double import GITHUB
from tests.contract.gitlab.double import GITLAB
from tests.contract.hosts.server import Fault, Kind
from tests.contract.person import Person
from tests.operations.hosted import Hosted, hosted
from tests.operations.house import ADMIN, ASK, House

FILE = "tenants/acme/tenant.yaml"


@pytest.fixture(params=[GITHUB, GITLAB], ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture
def desk(kind: Kind, house: House, tmp_path: Path) -> Iterator[Hosted]:
    with hosted(kind, house, tmp_path / "host.git") as made:
        yield made


def test_a_person_s_merge_on_the_page_is_the_approval(desk: Hosted) -> None:
    review = desk.create()
    double = desk.host.double
    (text,) = double.texts(desk.page)
    assert "### create acme: open" in text
    assert {one["context"]: one["state"] for one in double.statuses} == {
        "controlplane/plan: acme": "success",
        "controlplane/policy": "success",
        "controlplane/cost": "success",
        "controlplane": "success",
    }
    assert desk.house.cloud.databases() == []
    commit = double.press_merge(desk.page, "bob-hub")
    desk.run()
    seen = desk.shown(review["id"])
    assert (seen["status"], seen["merged_by"], seen["merged_commit"]) == ("applied", "local:bob", commit)
    assert len(desk.house.cloud.databases()) == 1
    assert "### create acme: applied" in double.texts(desk.page)[0]
    assert desk.control.forge is not None
    assert "| acme |" in (desk.control.forge().read(desk.control.forge().base(), "README.md") or "")


def test_a_stranger_s_merge_approves_nothing(desk: Hosted) -> None:
    review = desk.create()
    desk.host.double.press_merge(desk.page, "mallory")
    desk.run()
    seen = desk.shown(review["id"])
    assert (seen["status"], "mallory merged it, but" in seen["problem"]) == ("merged", True)
    assert desk.house.cloud.databases() == []
    asking.approve(desk.control, ADMIN, review["operation"], ASK)
    desk.run()
    assert desk.shown(review["id"])["status"] == "applied"


def test_our_own_merge_is_one_on_the_page(desk: Hosted) -> None:
    review = desk.create()
    reviews.merge(desk.control, ADMIN, review["id"], ASK)
    desk.run()
    assert desk.shown(review["id"])["status"] == "applied"
    assert desk.host.double.pulls[desk.page]["merged"] == desk.shown(review["id"])["merged_commit"]


def test_verbs_are_heard_from_who_may_and_answered_once(desk: Hosted) -> None:
    review = desk.create()
    assert "is nobody here" in desk.says("mallory", "controlplane apply")
    assert "may not do" in desk.says("eve-hub", "controlplane apply")
    assert "there is no review" in desk.says("own-hub", "controlplane apply")
    assert "`frobnicate` is not known" in desk.says("bob-hub", "controlplane frobnicate")
    assert "| `controlplane unlock` |" in desk.says("mallory", "controlplane help")
    assert "**explain**" in desk.says("bob-hub", "controlplane explain")
    assert "local:bob approves" in desk.says("bob-hub", "controlplane approve_policies")
    assert desk.shown(review["id"])["approvals"][0]["actor"] == "local:bob"
    said = len(desk.host.double.texts(desk.page))
    desk.run()
    assert len(desk.host.double.texts(desk.page)) == said
    assert desk.house.cloud.databases() == []
    assert "**apply**" in desk.says("bob-hub", "controlplane apply")
    assert desk.shown(review["id"])["status"] == "applied"


def test_unlock_and_a_closed_page_free_the_tenant_at_once(desk: Hosted) -> None:
    first = desk.create()
    assert "acme is free" in desk.says("bob-hub", "controlplane unlock")
    assert desk.shown(first["id"])["status"] == "closed"
    assert desk.host.double.pulls[desk.page]["state"] == "closed"
    second = desk.create()
    desk.host.double.press_close(desk.page)
    desk.run()
    assert desk.shown(second["id"])["problem"] == "it was closed on its page"
    assert asking.show(desk.control, ADMIN, second["operation"])["status"] == "rejected"


def test_approvals_on_the_page_are_the_second_person_s(kind: Kind, house: House, tmp_path: Path) -> None:
    strict = replace(house, control=replace(house.control, two_person=True))
    with hosted(kind, strict, tmp_path / "host.git") as desk:
        review = desk.create(stage="production", size="small")
        desk.host.double.approve(desk.page, "mallory")
        desk.host.double.approve(desk.page, "ann-hub")
        refusal = "another person than local:ann has to approve"
        assert refusal in desk.says("ann-hub", "controlplane apply")
        desk.host.double.approve(desk.page, "bob-hub")
        assert "**apply**" in desk.says("ann-hub", "controlplane apply")
        assert desk.shown(review["id"])["status"] == "applied"


def test_a_page_that_a_person_opened_is_a_request_in_their_name(desk: Hosted, tmp_path: Path) -> None:
    assert desk.control.forge is not None
    desk.control.forge().base()
    person = Person(desk.host.double.bare.folder, tmp_path / "clone")
    for slug, login in (("acme", "bob-hub"), ("beta", "mallory")):
        person.branch(f"new-{slug}")
        person.write(f"tenants/{slug}/tenant.yaml", f"slug: {slug}\n")
        person.push(f"new-{slug}")
        desk.host.double.open_by(login, f"new-{slug}")
    desk.run()
    (made,) = reviews.page(desk.control, ADMIN)["items"]
    assert (made["requested_by"], made["branch"], made["status"]) == ("local:bob", "new-acme", "open")
    assert "mallory is nobody here" in desk.host.double.texts(desk.page)[0]


def test_nothing_is_lost_while_the_host_is_down(desk: Hosted) -> None:
    review = desk.create()
    desk.host.double.say(desk.page, "bob-hub", "controlplane approve_policies")
    desk.host.faults = [Fault(502)] * 12
    desk.run()
    desk.host.faults = []
    desk.run()
    assert desk.shown(review["id"])["approvals"][0]["actor"] == "local:bob"
    assert sum("local:bob approves" in text for text in desk.host.double.texts(desk.page)) == 1
    assert len(desk.host.double.pulls) == 1


def test_a_draft_asks_for_nothing_until_it_is_ready(desk: Hosted, tmp_path: Path) -> None:
    assert desk.control.forge is not None
    desk.control.forge().base()
    asked(desk, tmp_path, "acme")
    draft = desk.host.double.open_draft("bob-hub", "new-acme")
    desk.run()
    assert reviews.page(desk.control, ADMIN)["items"] == []
    desk.host.double.press_ready(draft)
    desk.run()
    assert [one["branch"] for one in reviews.page(desk.control, ADMIN)["items"]] == ["new-acme"]


def test_a_fork_never_asks(desk: Hosted, tmp_path: Path) -> None:
    assert desk.control.forge is not None
    desk.control.forge().base()
    asked(desk, tmp_path, "beta")
    page = desk.host.double.open_from_fork("bob-hub", "new-beta")
    desk.run()
    assert reviews.page(desk.control, ADMIN)["items"] == []
    assert desk.host.double.texts(page) == []


def asked(desk: Hosted, folder: Path, slug: str, *sizes: str) -> list[str]:
    """A branch for a new tenant, pushed and not yet on any page; a commit for each size that is wanted."""
    person = Person(desk.host.double.bare.folder, folder / "clone")
    person.branch(f"new-{slug}")
    pushed = []
    for size in sizes or ("micro",):
        person.write(f"tenants/{slug}/tenant.yaml", f"slug: {slug}\nsize: {size}\n")
        pushed.append(person.push(f"new-{slug}"))
    return pushed


@pytest.mark.parametrize("backwards", [pytest.param(False, marks=pytest.mark.long), True])
def test_webhooks_in_any_order_end_in_the_same_state(desk: Hosted, tmp_path: Path, backwards: bool) -> None:
    """An older push after a newer one; a page that is told to be opened after it was closed."""
    assert desk.control.forge is not None
    desk.control.forge().base()
    desk.run()
    older, newer = asked(desk, tmp_path / "a", "acme", "micro", "small")
    asked(desk, tmp_path / "b", "beta")
    page = desk.host.double.open_by("bob-hub", "new-acme")
    closed = desk.host.double.open_by("bob-hub", "new-beta")
    desk.host.double.press_close(closed)
    desk.follow()
    assert reviews.page(desk.control, ADMIN)["items"] == [], "nobody told of them yet"
    told = [{"ref": "refs/heads/new-acme", "before": "0" * 40, "after": older}]
    told += [{"ref": "refs/heads/new-acme", "before": older, "after": newer}]
    told += [{"action": action, "pull_request": {"number": closed}} for action in ("opened", "closed")]
    for payload in reversed(told) if backwards else told:
        assert desk.deliver(payload)
    [review] = reviews.page(desk.control, ADMIN)["items"]
    assert (review["branch"], review["status"]) == ("new-acme", "open")
    assert desk.host.double.texts(closed) == []
    desk.host.double.press_merge(page, "bob-hub")
    for action in ("closed", "opened") if backwards else ("opened", "closed"):
        assert desk.deliver({"action": action, "pull_request": {"number": page}})
    [review] = reviews.page(desk.control, ADMIN)["items"]
    assert (review["branch"], review["status"]) == ("new-acme", "applied")
    assert tenants.show(desk.control, ADMIN, "acme")["size"] == "small"
    assert len(desk.house.cloud.databases()) == 1


BAD: dict[str, tuple[str, bytes, str]] = {  # branch: what is written where, and what its page is answered
    "bomb": (FILE, b"a: &a [x, x]\nb: &b [*a, *a]\n", f"{FILE}:1"),
    "unknown-key": (FILE, b"slug: acme\ncolour: red\n", f"{FILE}:2: colour"),
    "another-s-slug": (FILE, b"slug: beta\n", f"{FILE}:1: slug"),
    "windows": (FILE, b"slug: acme\r\nsize: x: y\r\n", f"{FILE}:2"),
    "no-text": (FILE, b"slug: acme\n\xff\n", f"{FILE}:2: not UTF-8"),
    "large": (FILE, b"#" * 70_000, f"{FILE}: 70000 bytes"),
    "outside": ("platforms/x/main.tf", b"# mine\n", "platforms/x/main.tf: outside of tenants/acme/"),
    "own-rules": ("CODEOWNERS", b"* @mallory\n", "CODEOWNERS: outside of tenants/acme/"),
    "two-tenants": ("tenants/beta/tenant.yaml", b"slug: acme\n", "tenants/beta/tenant.yaml"),
}


def test_bad_input_is_answered_on_its_page_with_file_and_line(desk: Hosted, tmp_path: Path) -> None:
    assert desk.control.forge is not None
    desk.control.forge().base()
    person = Person(desk.host.double.bare.folder, tmp_path / "clone")
    pages = {}
    for branch, (path, content, _) in BAD.items():
        person.branch(branch)
        person.write(FILE, "slug: acme\n")
        person.write(path, content)
        person.push(branch)
        pages[branch] = desk.host.double.open_by("bob-hub", branch)
    person.branch("link")
    (person.clone / "tenants/acme").mkdir(parents=True)
    (person.clone / FILE).symlink_to("/etc/hostname")
    person.push("link")
    pages["link"] = desk.host.double.open_by("bob-hub", "link")
    desk.run()
    answers = {branch: desk.host.double.texts(page) for branch, page in pages.items()}
    wanted = {branch: words for branch, (_, _, words) in BAD.items()} | {"link": f"{FILE}: a symbolic link"}
    assert {branch: len(texts) for branch, texts in answers.items()} == dict.fromkeys(pages, 1)
    assert {branch: words for branch, words in wanted.items() if words not in answers[branch][0]} == {}
    assert reviews.page(desk.control, ADMIN)["items"] == []
