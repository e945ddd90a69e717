"""Where the order book is filled from; one file a source."""
