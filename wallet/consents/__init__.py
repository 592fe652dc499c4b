"""Consents: a counter asks, the holder sees who, for what and why, and says yes, less, or no."""
