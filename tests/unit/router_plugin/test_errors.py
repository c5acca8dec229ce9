"""Errors of tiers, out of LiteLLM's words as they were seen.  Not covered: LiteLLM saying them (tests/contract/router)."""

import pytest

from costpolicy.router_plugin.errors import TierError, told

WORDS = "litellm.BadRequestError: Hosted_vllmException - "
ERROR = '{"error":{"message":"temperature is {-3}","type":"BadRequestError","param":"temperature","code":400}}'
FIRST = '{"error":{"message":"from the cheap tier","type":"BadRequestError","param":null,"code":400}}'


def test_what_the_tier_said_is_found_among_litellms_words():
    found = TierError("temperature is {-3}", "BadRequestError", "temperature")

    assert found == told(f"{WORDS}{ERROR}")
    assert found == told(
        f"{WORDS}{FIRST}\n\nLiteLLM: model group 'chat/small' failed. Fallback failed: {WORDS}{ERROR} more"
    )
    printed = "litellm.BadRequestError: OpenAIException - Error code: 400 - {'error': {'message': 'a \\n\\n b', 'param': None}}"
    assert TierError("a \n\n b", "None", None) == told(f"{printed}\n\nLiteLLM: model group 'notes' failed")
    assert TierError("x", "None", None) == told(WORDS + '{"error": {"message": "x"}}')


@pytest.mark.parametrize(
    "text",
    ["", "Connection refused", WORDS, WORDS + "{", WORDS + '{"detail": 1}', WORDS + '{"error": "x"}', WORDS + "{}{}"],
)
def test_what_is_no_error_of_a_tier_is_left(text: str):
    assert told(text) is None
