"""The counter's page."""
