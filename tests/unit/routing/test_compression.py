"""The net saving of compression: what is removed, less what the prefix cache would have spared.

Not covered: quality (nothing here judges answers).
"""

import random
from typing import Any

from costpolicy.router_plugin.compression import Limits
from costpolicy.routing.compression import net_saving
from costpolicy.routing.prompts.samples import Request, parse_samples
from costpolicy.routing.prompts.tokens import Counter, approximate
from made_requests import lines

LIMITS = Limits(minimum=500, ratio=0.4)


def report(seed: int) -> str:
    dice = random.Random(seed)
    words = ("river", "stone", "paper", "window", "morning", "table", "letter", "market", "bread", "winter")
    return " ".join(f"{' '.join(dice.choices(words, k=12)).capitalize()}." for _ in range(30))


def requests(*documents: Any) -> tuple[Request, ...]:
    return parse_samples(lines(*documents))


def test_of_results_that_nobody_shares_all_that_is_removed_is_saved():
    asked = requests(
        *[
            {"messages": [{"role": "user", "content": f"Question {seed}?"}, {"role": "tool", "content": report(seed)}]}
            for seed in range(10)
        ]
    )
    found = net_saving(asked, Counter(approximate), LIMITS)

    assert found.removed > 0.5 * sum(len(approximate(one.text())) for one in asked)
    assert found.hits_lost == 0
    assert found.net == found.removed
    assert (10, 10) == (found.shortened, found.requests)


def test_of_a_result_that_came_from_the_cache_almost_nothing_is_saved():
    shared = [{"role": "user", "content": "Read this."}, {"role": "tool", "content": report(1)}]
    asked = requests(
        *[{"messages": [*shared, {"role": "user", "content": f"What about number {index}?"}]} for index in range(50)]
    )
    found = net_saving(asked, Counter(approximate), LIMITS)

    assert found.removed > 0
    assert found.hits_lost > 0.95 * found.removed
    assert found.net < 0.05 * found.removed


def test_where_nothing_is_long_nothing_is_saved():
    found = net_saving(
        requests({"prompt": report(1)}, {"messages": [{"role": "user", "content": report(2)}]}), Counter(approximate)
    )

    assert (0, 0, 0, 0) == (found.removed, found.hits_lost, found.net, found.shortened)
