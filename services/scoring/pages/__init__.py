"""The pages of scoring: server-rendered, readable without scripts, and never a number that the API does not give."""
