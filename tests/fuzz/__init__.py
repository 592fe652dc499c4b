"""Fuzzing that takes its time: `make attack` runs it, on the contracts over HTTP and on the parsers in process."""
