-- The ERP of the sample company, as a distributor's own system might name things.
create schema truth;

create table sample_company (
    only_row boolean primary key default true check (only_row),
    seed bigint not null,
    customers integer not null,
    months integer not null,
    story_day date not null,
    first_day date not null,
    current_day date not null
);
comment on table sample_company is
'What the generated company was made from, and the evening up to which it is known.';

create table debtor (
    debtor_no bigint not null,
    name1 text not null,
    vat_no text,
    street text,
    postcode text,
    city text,
    phone text,
    invoice_mail text,
    country_code text not null,
    region_name text,
    branch_code text,
    state_code text not null,
    opened_on date not null,
    currency_code text not null,
    credit_limit numeric(14, 2),
    payment_term text not null,
    head_office_no bigint,
    rep_no text,
    replaced_by_no bigint,
    changed_at timestamptz not null
);

create table payment_term (
    payment_term text primary key,
    net_days integer not null
);
insert into payment_term values ('N14', 14), ('N30', 30), ('N60', 60);

create table article (
    article_no text not null,
    description text not null,
    family_code text not null,
    base_unit text not null,
    standard_cost numeric(14, 4) not null,
    changed_at timestamptz not null
);

create table article_family (
    family_code text primary key,
    family_name text not null
);
insert into article_family values
('OXY', 'Oxygen'), ('NIT', 'Nitrogen'), ('ARG', 'Argon'), ('CO2', 'Carbon dioxide'),
('ACE', 'Acetylene'), ('HEL', 'Helium'), ('MIX', 'Gas mixes'), ('RNT', 'Cylinder rental'),
('ICE', 'Dry ice'), ('HDW', 'Hardware');

create table article_cost (
    article_no text not null,
    valid_from date not null,
    cost_per_unit numeric(14, 4) not null,
    valid_to date,
    changed_at timestamptz not null
);

create table sales_order (
    order_no bigint not null,
    debtor_no bigint not null,
    ordered_on date not null,
    wanted_on date not null,
    shipped_on date,
    state_code text not null,
    entry_channel text not null,
    changed_at timestamptz not null
);

create table sales_document (
    document_no bigint not null,
    kind_code text not null,
    debtor_no bigint not null,
    order_no bigint,
    document_date date not null,
    currency_code text not null,
    state_code text not null,
    changed_at timestamptz not null
);

create table sales_document_line (
    document_no bigint not null,
    line_no integer not null,
    article_no text not null,
    quantity numeric(14, 3) not null,
    list_value numeric(14, 2) not null,
    rebate_value numeric(14, 2) not null,
    net_value numeric(14, 2) not null,
    cost_value numeric(14, 2),
    freight_value numeric(14, 2),
    origin_document_no bigint,
    origin_line_no integer,
    changed_at timestamptz not null
);
comment on column sales_document_line.changed_at is
'A change of the document (posting) stamps all of its lines.';

create table open_item (
    document_no bigint not null,
    debtor_no bigint not null,
    issued_on date not null,
    due_on date not null,
    value numeric(14, 2) not null,
    settled_value numeric(14, 2) not null,
    settled_on date,
    has_dispute boolean not null,
    lost_value numeric(14, 2) not null,
    currency_code text not null,
    changed_at timestamptz not null
);

create table exchange_rate (
    currency_code text not null,
    valid_from date not null,
    eur_per_unit numeric(12, 6) not null,
    changed_at timestamptz not null
);

create table ledger_total (
    month_start date not null,
    account_no text not null,
    balance numeric(16, 2) not null,
    changed_at timestamptz not null,
    primary key (month_start, account_no)
);
comment on column ledger_total.balance is 'Debit positive, credit negative, in EUR.';

create table truth.story (
    story text not null,
    customer_id text not null,
    happens_on date not null,
    from_tier text,
    to_tier text,
    expected jsonb not null,
    description text not null
);
comment on table truth.story is
'Customers made so that their tiers are known; an empty tier is not specified.';

create table truth.account (
    account_no bigint not null,
    debtor_no bigint,
    difficulty text not null
);
comment on table truth.account is
'Whose account of the CRM it is; without a debtor it belongs to nobody the ERP knows.';
