"""Sources: documents that say how a sender's deliveries are verified, and which events they are."""
