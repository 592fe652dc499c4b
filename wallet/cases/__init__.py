"""Cases: a holder objects to a use, or wants a licence corrected; the agency answers; both see how it stands."""
