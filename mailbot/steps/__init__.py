"""The steps of the journey: each joins stages to the store, and is called by ``journey.py`` in one line."""
