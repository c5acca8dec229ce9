"""What a whole list changes in the mirror.

Covered: a list at the version of an event.  Not covered: the mirror over a real API server (tests/integration/kube).
"""

from costpolicy.kube.gateway import NamespacedName
from costpolicy.kube.shelf import Shelf, Versioned

KEY = NamespacedName("default", "chat")


def test_a_list_is_right_about_the_version_that_an_event_told_less_of():
    shelf: Shelf[str] = Shelf()
    shelf.put(KEY, 7, "without the field that the new schema has")
    shelf.replace({KEY: Versioned(7, "with the field")}, 9)

    assert "with the field" == shelf.get(KEY)


def test_a_list_does_not_undo_what_is_younger():
    shelf: Shelf[str] = Shelf()
    shelf.put(KEY, 8, "own write")
    shelf.replace({KEY: Versioned(7, "older")}, 9)

    assert "own write" == shelf.get(KEY)
