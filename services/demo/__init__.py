"""The simulated shop: it talks to Pętla through the public HTTP API only, as any shop would.

`shop.py` says what happens (pure, from a seed), `agents.py` who calls back, `playing.py` in which order all of it is
told to Pętla, `terminal.py` what a person sees of it.
"""
