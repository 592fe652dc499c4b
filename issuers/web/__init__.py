"""The console's page, for an agency's clerks."""
