"""Which records of ERP and CRM are one customer: what speaks for it, and what people decided.

Python measures how alike two records are (`compare`), dbt weighs that and decides
(`int_matches_scored`, `int_accounts_matched`), people settle what is doubtful (`decisions`).
"""
