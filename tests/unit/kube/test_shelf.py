"""News out of order.

Covered: late events, deletions, lists older or younger than what is known, groups.
"""

from costpolicy.kube.gateway import NamespacedName
from costpolicy.kube.shelf import Shelf, Versioned

A, B = NamespacedName("n", "a"), NamespacedName("n", "b")


def test_late_news_do_not_undo_newer_ones() -> None:
    shelf = Shelf[str]()
    shelf.put(A, 5, "new")

    assert not shelf.put(A, 4, "old")
    assert shelf.get(A) == "new"


def test_the_same_version_is_no_news() -> None:
    shelf = Shelf[str]()

    assert shelf.put(A, 5, "x")
    assert not shelf.put(A, 5, "x")


def test_a_late_deletion_does_not_remove_what_was_created_anew() -> None:
    shelf = Shelf[str]()
    shelf.put(A, 9, "second")

    assert not shelf.drop(A, 8)
    assert shelf.get(A) == "second"


def test_a_list_removes_what_it_lacks() -> None:
    shelf = Shelf[str]()
    shelf.put(A, 5, "a")
    shelf.put(B, 6, "b")
    shelf.replace({B: Versioned(6, "b")}, version=7)

    assert shelf.values() == ("b",)


def test_a_list_does_not_remove_what_was_created_after_it() -> None:
    shelf = Shelf[str]()
    shelf.put(A, 8, "a")
    shelf.replace({}, version=7)

    assert shelf.values() == ("a",)


def test_groups_follow_their_members() -> None:
    shelf = Shelf[str](group_of=lambda value: value[0])
    shelf.put(A, 1, "x1")
    shelf.put(B, 2, "x2")
    shelf.put(A, 3, "y1")

    assert shelf.group("x") == ("x2",)
    assert shelf.group("y") == ("y1",)
    shelf.drop(B, 4)
    assert shelf.group("x") == ()
    assert len(shelf) == 1
