"""THE AGENCIES: issue licences, change their status, publish."""
