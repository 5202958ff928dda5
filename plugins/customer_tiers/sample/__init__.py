"""The sample company: a distributor of industrial gases with an ERP and a CRM of its own.

Everything follows from a seed. What happens in a month is drawn from that month's own random
numbers, with every day on which a row changes, so the databases can be written as they stood on any
evening, and brought forward to a later one by the changed rows alone. Both ways give the same rows.

    from datetime import date
    from customer_tiers import sample

    sample.create(erp_url, crm_url, customers=1200, months=30, through=date(2026, 6, 29))
    sample.advance(erp_url, crm_url, through=date(2026, 6, 30))

Known limits: nothing is ever deleted; open items are without tax; an invoice that is credited is
still paid in full (the refund is not kept); cash discounts and dunning do not exist.
"""

from __future__ import annotations

from customer_tiers.sample.build import advance, create, current_day

__all__ = ["advance", "create", "current_day"]
