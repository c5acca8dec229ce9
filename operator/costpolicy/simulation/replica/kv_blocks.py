"""The paged KV cache: how many blocks are taken, and how fast decoding takes more."""

from typing import Final

BLOCK_TOKENS: Final = 16
"""vLLM's block size on GPUs."""


def blocks_of(tokens: int) -> int:
    """Return the blocks that so many tokens fill, the last one perhaps partly."""
    return -(-tokens // BLOCK_TOKENS)


class KvBlocks:
    """Blocks of one replica, the blocks of a shared prefix taken for good.

    Decoding requests all grow by one token a tick; a request needs a new block every sixteenth tick, at a phase
    that stays its own. So only the number of requests at each phase is kept.
    """

    def __init__(self, blocks: int, shared_tokens: int = 0) -> None:
        self.total = blocks
        self.free = blocks - shared_tokens // BLOCK_TOKENS
        self._growing = [0] * BLOCK_TOKENS

    @property
    def used(self) -> int:
        """Blocks that are taken."""
        return self.total - self.free

    def take(self, blocks: int) -> bool:
        """Take blocks, all or none, and return whether they were there."""
        if blocks > self.free:
            return False
        self.free -= blocks
        return True

    def give_back(self, blocks: int) -> None:
        """Return blocks."""
        self.free += blocks

    def start_growing(self, tokens: int, tick: int) -> None:
        """Count a request that has so many tokens at this tick and decodes from the next one on."""
        self._growing[(tick + 1 - tokens) % BLOCK_TOKENS] += 1

    def stop_growing(self, tokens: int, tick: int) -> None:
        """Forget a request that has so many tokens at this tick."""
        self._growing[(tick + 1 - tokens) % BLOCK_TOKENS] -= 1

    def needed(self, tick: int) -> int:
        """Return how many blocks the decoding requests need for a tick."""
        return self._growing[tick % BLOCK_TOKENS]

    def grow(self, tick: int, ticks: int) -> int:
        """Take what decoding needs for at most ``ticks`` ticks after ``tick``; return how many it was enough for."""
        rounds = min(ticks // BLOCK_TOKENS, self.free // max(1, sum(self._growing)))
        self.free -= rounds * sum(self._growing)
        done = rounds * BLOCK_TOKENS
        while done < ticks and self.take(self._growing[(tick + done + 1) % BLOCK_TOKENS]):
            done += 1
        return done
