"""The outbox: which messages a published night owes to whom, and what became of each.

Rows are written in the transaction that publishes (`fill`), so a message exists exactly if its
night does. Senders claim them one by one (`claims`) and hand them over (`sending`); people look at
them and decide about what went wrong (`rows`, `tiers outbox`).

    pending -> sending -> sent
                       -> failed    refused; is_retryable says whether the next sending tries again
                       -> unknown   perhaps delivered: shown, never sent again by itself
    pending, failed or unknown -> suppressed  replaced, handed over, given up: last_error says why
"""
