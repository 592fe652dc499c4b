"""How holders sign in: at the city's identity platform (OpenID Connect), in the demonstration by a one-time link."""
