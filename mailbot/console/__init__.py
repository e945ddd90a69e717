"""The operators' console: what waits for a person, soonest promise first."""
