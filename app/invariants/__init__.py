"""The invariants, held against the database as it stands: what `licence doctor --deep` examines."""
