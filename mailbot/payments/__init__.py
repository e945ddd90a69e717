"""Ways to pay refunds; a further provider is a further file here and a line in ``bootstrap.py``."""
