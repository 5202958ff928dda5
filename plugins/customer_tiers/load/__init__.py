"""From a source's SELECT to `raw`: stage, validate, quarantine, one upsert per entity."""
