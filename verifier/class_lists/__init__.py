"""Class lists: a school verifies many pupils in one session, over days, and keeps verdicts and receipts."""
