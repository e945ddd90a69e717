"""A parsed mail becomes a claim with the places that it was read from."""
