"""Passkeys (WebAuthn level 3): how staff sign in, and how anybody shows once more who they are (step-up)."""
