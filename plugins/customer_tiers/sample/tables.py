"""The columns of the two databases and the unit in which the generators hold each of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table: its key and, in order, each column's unit.

    Units: int, cents (2 decimals), milli (3), e4 (4), micro (6), day, second, flag, text, or a
    tuple of the texts that small numbers stand for. `signed` is cents that may be negative and
    never empty.
    """

    key: tuple[str, ...]
    columns: dict[str, str | tuple[str, ...]]


CURRENCIES = ("EUR", "USD", "GBP", "CHF")
"""Currencies by number; the first is the base currency."""

CHANNELS = ("TEL", "WEB", "EDI", "REP")
ACCOUNT_NUMBERS = ("4000", "5000", "5400")
"""Ledger accounts of revenue, cost of goods and outbound freight."""

ERP: dict[str, Table] = {
    "debtor": Table(
        ("debtor_no",),
        {
            "debtor_no": "int",
            "name1": "text",
            "vat_no": "text",
            "street": "text",
            "postcode": "text",
            "city": "text",
            "phone": "text",
            "invoice_mail": "text",
            "country_code": "text",
            "region_name": "text",
            "branch_code": "text",
            "state_code": ("A", "B", "C", "I"),
            "opened_on": "day",
            "currency_code": CURRENCIES,
            "credit_limit": "cents",
            "payment_term": ("N14", "N30", "N60"),
            "head_office_no": "int",
            "rep_no": "text",
            "replaced_by_no": "int",
            "changed_at": "second",
        },
    ),
    "article": Table(
        ("article_no",),
        {
            "article_no": "text",
            "description": "text",
            "family_code": "text",
            "base_unit": "text",
            "standard_cost": "e4",
            "changed_at": "second",
        },
    ),
    "article_cost": Table(
        ("article_no", "valid_from"),
        {
            "article_no": "text",
            "valid_from": "day",
            "cost_per_unit": "e4",
            "valid_to": "day",
            "changed_at": "second",
        },
    ),
    "sales_order": Table(
        ("order_no",),
        {
            "order_no": "int",
            "debtor_no": "int",
            "ordered_on": "day",
            "wanted_on": "day",
            "shipped_on": "day",
            "state_code": ("OPEN", "DONE", "VOID"),
            "entry_channel": CHANNELS,
            "changed_at": "second",
        },
    ),
    "sales_document": Table(
        ("document_no",),
        {
            "document_no": "int",
            "kind_code": ("INV", "CRN"),
            "debtor_no": "int",
            "order_no": "int",
            "document_date": "day",
            "currency_code": CURRENCIES,
            "state_code": ("DRAFT", "POSTED"),
            "changed_at": "second",
        },
    ),
    "sales_document_line": Table(
        ("document_no", "line_no"),
        {
            "document_no": "int",
            "line_no": "int",
            "article_no": "text",
            "quantity": "milli",
            "list_value": "cents",
            "rebate_value": "cents",
            "net_value": "cents",
            "cost_value": "cents",
            "freight_value": "cents",
            "origin_document_no": "int",
            "origin_line_no": "int",
            "changed_at": "second",
        },
    ),
    "open_item": Table(
        ("document_no",),
        {
            "document_no": "int",
            "debtor_no": "int",
            "issued_on": "day",
            "due_on": "day",
            "value": "cents",
            "settled_value": "cents",
            "settled_on": "day",
            "has_dispute": "flag",
            "lost_value": "cents",
            "currency_code": CURRENCIES,
            "changed_at": "second",
        },
    ),
    "exchange_rate": Table(
        ("currency_code", "valid_from"),
        {
            "currency_code": CURRENCIES,
            "valid_from": "day",
            "eur_per_unit": "micro",
            "changed_at": "second",
        },
    ),
    "ledger_total": Table(
        ("month_start", "account_no"),
        {
            "month_start": "day",
            "account_no": ACCOUNT_NUMBERS,
            "balance": "signed",
            "changed_at": "second",
        },
    ),
    "truth.story": Table(
        ("story",),
        {
            "story": "text",
            "customer_id": "text",
            "happens_on": "day",
            "from_tier": "text",
            "to_tier": "text",
            "expected": "text",
            "description": "text",
        },
    ),
    "truth.account": Table(
        ("account_no",), {"account_no": "int", "debtor_no": "int", "difficulty": "text"}
    ),
}

CRM: dict[str, Table] = {
    "app_user": Table(
        ("user_no",),
        {
            "user_no": "text",
            "full_name": "text",
            "email": "text",
            "locale": "text",
            "reports_to": "text",
            "is_enabled": "flag",
            "changed_at": "second",
        },
    ),
    "account": Table(
        ("account_no",),
        {
            "account_no": "int",
            "title": "text",
            "vat_no": "text",
            "website": "text",
            "street": "text",
            "postcode": "text",
            "city": "text",
            "country_code": "text",
            "phone": "text",
            "sector": "text",
            "user_no": "text",
            "erp_no": "int",
            "founded_on": "day",
            "contract_until": "day",
            "potential_eur": "cents",
            "is_strategic": "flag",
            "created_at": "second",
            "replaced_by_no": "int",
            "changed_at": "second",
        },
    ),
    "activity": Table(
        ("activity_no",),
        {
            "activity_no": "int",
            "account_no": "int",
            "user_no": "text",
            "type_code": ("CALL", "VISIT", "MEETING", "MAIL", "EVENT"),
            "happened_at": "second",
            "duration_minutes": "int",
            "met_with": ("STAFF", "MANAGEMENT", "BOARD"),
            "changed_at": "second",
        },
    ),
    "ticket": Table(
        ("ticket_no",),
        {
            "ticket_no": "int",
            "account_no": "int",
            "type_code": ("COMPLAINT", "QUESTION", "IDEA"),
            "priority": "int",
            "opened_at": "second",
            "answered_at": "second",
            "closed_at": "second",
            "changed_at": "second",
        },
    ),
    "survey": Table(
        ("survey_no",),
        {
            "survey_no": "int",
            "account_no": "int",
            "form": ("CSAT", "NPS"),
            "sent_at": "second",
            "replied_at": "second",
            "rating": "int",
            "changed_at": "second",
        },
    ),
    "deal": Table(
        ("deal_no",),
        {
            "deal_no": "int",
            "account_no": "int",
            "phase": ("QUALIFY", "OFFER", "NEGOTIATE", "DECIDED"),
            "deal_value": "cents",
            "currency_code": CURRENCIES,
            "win_percent": "int",
            "opened_at": "second",
            "decision_on": "day",
            "decided_at": "second",
            "outcome": ("LOST", "WON"),
            "referred_by_no": "int",
            "changed_at": "second",
        },
    ),
}
