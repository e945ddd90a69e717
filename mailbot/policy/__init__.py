"""Facts in, decision out: pure, and the same answer every time."""
