"""THE ROOF: the only folder that knows every room."""
