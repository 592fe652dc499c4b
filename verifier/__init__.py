"""THE VERIFIER: ask, verify, receipt; also with the network down."""
