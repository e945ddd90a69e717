"""Mailbot answers a shop's refund e-mails by the shop's own policy. Start reading at ``journey.py``."""
