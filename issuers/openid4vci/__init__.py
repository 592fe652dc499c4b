"""OpenID4VCI 1.0: every agency is a Credential Issuer and its own authorization server, for foreign wallets.

Offers (`offers.py`) → token endpoint (`tokens.py`) → nonce (`nonces.py`) → key proofs (`proofs.py`) → credential
endpoint (`credential.py`). What is issued are copies of licences that the ledger knows (`issuers/copies.py`).
"""
