"""THE RECORDS: what every act leaves behind in its own transaction: the audit chain and idempotency keys."""
