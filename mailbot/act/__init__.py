"""From a decision to what is done about it."""
