"""Rows of any table: inserted one by one or many at once, by the driver's fastest way."""
