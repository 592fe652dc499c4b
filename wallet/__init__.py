"""THE HOLDER: keep licences, choose, show, see every use."""
