"""From the bytes of a mailbox to a mail taken apart, its kind and its sender."""
