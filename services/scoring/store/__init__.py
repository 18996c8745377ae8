"""Every SQL statement of scoring. Functions take the caller's transaction and never commit."""
