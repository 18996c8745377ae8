"""What pages of every service have in common: the reader's language, the tokens of the design, a strict policy."""
