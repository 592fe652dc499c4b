"""What status lists say, and what of it changed."""
