"""The ways out: each channel sends one notification and says what came of it."""
