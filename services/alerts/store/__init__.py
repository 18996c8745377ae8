"""Every SQL statement of alerts. Functions take the caller's transaction and never commit."""
