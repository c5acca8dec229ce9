"""Settings of every ring: hypothesis tries the same examples on every machine, and never fails for being slow."""

from hypothesis import settings

settings.register_profile("project", deadline=None, derandomize=True, max_examples=30, print_blob=True)
settings.register_profile("long", deadline=None, max_examples=2000)
settings.load_profile("project")
