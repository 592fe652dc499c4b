"""CUSTODY: private keys encrypted at rest, rotation, access tokens, the trust list."""
