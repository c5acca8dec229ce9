"""A document that keeps a rule of the API, one that breaks it, and what is said of the latter."""

from dataclasses import dataclass

from plain_documents import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """``says`` is part of both refusals; for a rule it is the rule's message."""

    name: str
    accepted: Document
    rejected: Document
    says: str
