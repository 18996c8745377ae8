"""Senders that do not call us are asked: what they have is pulled, mapped by the same documents, and kept.

At least once: the position moves only behind what the log has acknowledged, and the ids of events are the sender's, so
what is pulled twice counts once.
"""
