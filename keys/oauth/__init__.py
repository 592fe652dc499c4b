"""What OAuth's endpoints have in common, whichever room they are in: refusals, forms, answers."""
