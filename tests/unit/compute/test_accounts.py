"""What differs between a cluster's accounts and those that projects call for."""

from fabriek.compute.accounts.plan import ClusterAccount, Verb, account_name, plan

NAME = account_name("long-scans")


def an_account(*users: str, project: str = "prj_1", blocked: tuple[str, ...] = (), is_open: bool = True) -> ClusterAccount:  # fmt: skip
    return ClusterAccount(NAME, project, frozenset(users), frozenset(blocked), open=is_open)


def steps(wanted: ClusterAccount, *present: ClusterAccount) -> list[str]:
    return [str(one) for one in plan([wanted], {one.name: one for one in present}).changes]


def test_an_account_that_is_not_there_is_added_with_its_users() -> None:
    found = plan([an_account("alice", "bob")], {})
    assert [str(one) for one in found.changes] == [
        "add account fabriek-long-scans",
        "add user alice to fabriek-long-scans",
        "add user bob to fabriek-long-scans",
    ]
    assert found.changes[0].project == "prj_1"


def test_in_step_there_is_nothing_to_do() -> None:
    assert steps(an_account("alice"), an_account("alice")) == []
    assert steps(an_account("alice", is_open=False), an_account("alice", is_open=False)) == []


def test_who_is_no_member_any_more_goes_the_blocked_too() -> None:
    there = an_account("alice", "bob", blocked=("carol",))
    assert steps(an_account("alice"), there) == [f"remove user bob from {NAME}", f"remove user carol from {NAME}"]


def test_who_was_blocked_and_is_a_member_again_is_added() -> None:
    assert steps(an_account("alice"), an_account(blocked=("alice",))) == [f"add user alice to {NAME}"]


def test_a_project_that_is_over_is_shut_before_all_else_and_opened_after_all_else() -> None:
    assert steps(an_account("bob", is_open=False), an_account("alice"))[0] == f"close account {NAME}"
    assert steps(an_account("bob"), an_account("alice", is_open=False))[-1] == f"reopen account {NAME}"


def test_an_account_without_this_projects_mark_is_left_alone_and_named() -> None:
    for project in ("", "prj_of_another_factory"):
        found = plan([an_account("alice")], {NAME: an_account("eve", project=project)})
        assert found.changes == ()
        assert found.left == (f"{NAME}: the cluster has an account of that name that is not this project's",)


def test_what_nobody_wants_is_left_alone() -> None:
    others = {"root": ClusterAccount("root", ""), "fabriek-x": ClusterAccount("fabriek-x", "prj_elsewhere")}
    assert plan([], others).changes == ()


def test_every_verb_says_what_it_does() -> None:
    assert {str(verb) for verb in Verb} == {
        "add account",
        "add user",
        "remove user",
        "close account",
        "reopen account",
    }
