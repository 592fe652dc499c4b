"""The outbox: what others are owed to know, written with the act itself, and brought to them later."""
