"""The limited child that reads hostile bytes: no secrets, no network, bounded time and memory, checked answers (P2)."""
