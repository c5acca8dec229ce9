"""Which release of vLLM an image holds, as far as its tag says so."""

import re
from typing import Final

from costpolicy.advice.command import image_name
from costpolicy.api.reasons import Reason
from costpolicy.catalog.engines import Engine, EngineError, engine
from costpolicy.observe.source import Missing

_VERSION: Final = r"v?(0\.[0-9]{1,3}(?:\.[0-9]{1,3})?(?:\.post[0-9]+)?)"
_TAG: Final = re.compile(rf"{_VERSION}(?:$|[-+_])")
_WITHIN: Final = re.compile(rf"(?:^|[-_])vllm[-_]{_VERSION}(?:$|[-+_])")
"""As AMD's images are tagged: ``rocm6.4.1_vllm_0.10.1_20250909``."""


def version_of_image(image: str) -> str | Missing:
    """Return the version in an image's tag; a digest, ``latest`` and ``nightly`` say none, nor do other projects' tags."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    match = _WITHIN.search(tag) or (_TAG.match(tag) if "vllm" in image_name(image) else None)
    if match is None:
        message = (
            f"the image {image} does not say which vLLM it holds; state spec.engine.version, or tag it with the version"
        )
        return Missing(reason=Reason.TARGET_UNREADABLE, message=message)
    return match[1]


def release_of(version: str | Missing) -> Engine | Missing:
    """Return the release of a version, or why it is not known."""
    if isinstance(version, Missing):
        return version
    try:
        return engine(version)
    except EngineError as error:
        return Missing(reason=Reason.ENGINE_UNSUPPORTED, message=str(error))
