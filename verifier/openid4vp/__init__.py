"""OpenID4VP 1.0: a counter asks any conformant wallet; signed requests out, presentations in.

`request.py` builds what is asked (pure), `response.py` reads what comes back (pure), `exchange.py` is the one
exchange from opening to verdict, `api.py` its doors.
"""
