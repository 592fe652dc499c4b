"""Copies for the file (加注件): what was disclosed, marked with its matter, as pages that prove themselves."""
