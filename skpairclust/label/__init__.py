"""A page on which a person answers."""

__all__ = []
