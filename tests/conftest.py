"""Settings of every ring: hypothesis tries the same examples on every machine, and never fails for being slow.

`make check` tries a few examples of each law, `make test` more (`--hypothesis-profile=project`), `make test-long` many.
"""

from hypothesis import settings

settings.register_profile("quick", deadline=None, derandomize=True, max_examples=8, print_blob=True)
settings.register_profile("project", deadline=None, derandomize=True, max_examples=30, print_blob=True)
settings.register_profile("long", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile("quick")
