"""Authorization by code (VCI section 5; FAPI 2.0): a wallet pushes what it wants, the holder agrees on our page."""
