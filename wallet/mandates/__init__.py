"""Mandates: who may show whose licences — a parent a child's, an officer a company's, a helper an elderly person's."""
