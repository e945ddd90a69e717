"""The demonstration: embedded mail servers and sample mails."""
