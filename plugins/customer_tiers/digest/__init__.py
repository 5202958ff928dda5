"""Digest mails: who is told what (compose), in which words (wording, reason) and looks (render)."""
