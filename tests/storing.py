"""What an API server stored otherwise than it was sent."""


def missing(meant: object, stored: object, path: str) -> list[str]:
    """Every value that the API server would store differently; what it adds by default is its own."""
    if isinstance(meant, dict) and isinstance(stored, dict):
        return [fault for key, value in meant.items() for fault in missing(value, stored.get(key), f"{path}.{key}")]
    if isinstance(meant, list) and isinstance(stored, list) and len(meant) == len(stored):
        pairs = enumerate(zip(meant, stored, strict=True))
        return [fault for index, (one, other) in pairs for fault in missing(one, other, f"{path}[{index}]")]
    return [] if meant == stored else [f"{path}: {meant!r} is stored as {stored!r}"]
