"""THE FORMAT: SD-JWT VC, key binding, status lists, licence types. Pure: no IO, no clock, no randomness."""
