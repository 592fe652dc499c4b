"""Many licences at once."""
