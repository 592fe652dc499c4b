"""Our wallet as anybody's wallet: takes credentials by offer (OpenID4VCI 1.0), answers requests (OpenID4VP 1.0).

`links.py` reads what was scanned. `taking.py` takes an offer, `credential_vetting.py` checks what comes of it.
`verifier_request.py` checks a signed request (pure), `answering.py` shows the holder who asks for what and answers.
Everything goes out through one guarded fetcher (`fetching.py`).
"""
