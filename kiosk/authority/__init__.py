"""Who decides: nonces, statement, seal, approvals, sync conditions, receipts."""
