"""From audited candidates to `bi`: one transaction, by difference, with a publication row."""
