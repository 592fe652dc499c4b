"""Many licences from one file or stream: validated whole, then signed chunk by chunk, by as many workers as there are."""
