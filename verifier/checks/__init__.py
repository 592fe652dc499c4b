"""Checking without a record."""
