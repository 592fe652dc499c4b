"""Many licences from one file or stream: checked whole, then signed chunk by chunk by as many workers as there are."""
