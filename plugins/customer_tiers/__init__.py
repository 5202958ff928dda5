"""Customer tiers: from ERP and CRM data to published tiers and mailed digests."""
