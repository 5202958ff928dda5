"""Judge published nights again under another policy, without touching what is published."""

from customer_tiers.simulation.candidate import as_files
from customer_tiers.simulation.replay import Replay, replay
from customer_tiers.simulation.report import keep, lines

__all__ = ["Replay", "as_files", "keep", "lines", "replay"]
