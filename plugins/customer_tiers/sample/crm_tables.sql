-- The CRM of the sample company: a separate system with numbers and words of its own.
create table app_user (
    user_no text not null,
    full_name text not null,
    email text,
    locale text,
    reports_to text,
    is_enabled boolean not null,
    changed_at timestamptz not null
);

create table account (
    account_no bigint not null,
    title text not null,
    vat_no text,
    website text,
    street text,
    postcode text,
    city text,
    country_code text,
    phone text,
    sector text,
    user_no text,
    erp_no bigint,
    founded_on date,
    contract_until date,
    potential_eur numeric(14, 2),
    is_strategic boolean not null,
    created_at timestamptz not null,
    replaced_by_no bigint,
    changed_at timestamptz not null
);

create table activity (
    activity_no bigint not null,
    account_no bigint not null,
    user_no text,
    type_code text not null,
    happened_at timestamptz not null,
    duration_minutes integer,
    met_with text,
    changed_at timestamptz not null
);

create table ticket (
    ticket_no bigint not null,
    account_no bigint not null,
    type_code text not null,
    priority integer not null,
    opened_at timestamptz not null,
    answered_at timestamptz,
    closed_at timestamptz,
    changed_at timestamptz not null
);

create table survey (
    survey_no bigint not null,
    account_no bigint not null,
    form text not null,
    sent_at timestamptz not null,
    replied_at timestamptz,
    rating integer,
    changed_at timestamptz not null
);

create table deal (
    deal_no bigint not null,
    account_no bigint not null,
    phase text not null,
    deal_value numeric(14, 2),
    currency_code text,
    win_percent integer,
    opened_at timestamptz not null,
    decision_on date,
    decided_at timestamptz,
    outcome text,
    referred_by_no bigint,
    changed_at timestamptz not null
);
