"""Shops to strike with faults: those of the journey's stories."""

from tests.journey.conftest import a_shop, databases, reader

__all__ = ["a_shop", "databases", "reader"]
