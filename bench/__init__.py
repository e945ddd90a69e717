"""How fast mailbot is, beside the least that its work could cost on the same machine in the same run."""
