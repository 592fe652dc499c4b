"""Asks: a counter scans a code, names a matter, and waits for the holder's word."""
