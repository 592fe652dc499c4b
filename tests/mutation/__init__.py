"""Mutation of the format core: how mutmut runs it, its figures, and why each survivor may live."""
