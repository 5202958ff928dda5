-- Tables of Odoo 16 to 18 with the columns of its models that a source may want (addons base, uom,
-- product, account, sale, sale_margin, crm). Relations are integers, without their constraints.
create table res_country (id int primary key, code text, name jsonb);
create table res_country_state (id int primary key, name text, country_id int);
create table res_currency (
    id int primary key, name text, rounding numeric default 0.01, active bool default true
);
create table res_company (
    id int primary key, name text, partner_id int, parent_id int, currency_id int
);
create table res_currency_rate (
    id serial primary key, name date, rate numeric, currency_id int, company_id int
);
create table res_partner (
    id int primary key, name text, vat text, email text, lang text, active bool default true,
    is_company bool, type text, country_id int, state_id int, parent_id int, user_id int,
    commercial_partner_id int, company_id int, customer_rank int default 0,
    create_date timestamp default '2025-01-01', write_date timestamp default '2025-01-02'
);
create table res_users (
    id int primary key, login text, partner_id int, company_id int, active bool default true,
    share bool default false, write_date timestamp default '2025-01-01'
);
create table uom_uom (
    id int primary key, name jsonb, category_id int, uom_type text, factor numeric,
    rounding numeric, active bool default true
);
create table product_category (id int primary key, name text, complete_name text);
create table product_template (
    id int primary key, name jsonb, type text default 'consu', categ_id int, uom_id int,
    uom_po_id int, list_price numeric, active bool default true,
    write_date timestamp default '2025-01-01'
);
create table product_product (
    id int primary key, product_tmpl_id int, default_code text, active bool default true,
    write_date timestamp default '2025-01-03'
);
create table sale_order (
    id int primary key, name text, company_id int, partner_id int, partner_invoice_id int,
    partner_shipping_id int, currency_id int, currency_rate numeric, date_order timestamp,
    commitment_date timestamp, state text, invoice_status text, user_id int,
    amount_untaxed numeric, amount_total numeric, write_date timestamp default '2026-01-05'
);
create table sale_order_line (
    id int primary key, order_id int, product_id int, product_uom int, product_uom_qty numeric,
    price_unit numeric, price_subtotal numeric, currency_id int, is_downpayment bool default false,
    display_type text, purchase_price numeric, margin numeric
);
create table sale_order_line_invoice_rel (order_line_id int, invoice_line_id int);
create table account_account (id int primary key, code text, name jsonb, account_type text);
create table account_journal (id int primary key, code text, type text, company_id int);
create table account_move (
    id int primary key, name text, move_type text, state text, payment_state text, date date,
    invoice_date date, invoice_date_due date, journal_id int, company_id int, partner_id int,
    commercial_partner_id int, currency_id int, reversed_entry_id int, amount_untaxed numeric,
    amount_total numeric, amount_residual numeric, amount_total_signed numeric,
    amount_residual_signed numeric, write_date timestamp default '2026-01-11'
);
create table account_move_line (
    id int primary key, move_id int, company_id int, account_id int, product_id int,
    product_uom_id int, quantity numeric, price_unit numeric, discount numeric,
    price_subtotal numeric, price_total numeric, balance numeric, amount_currency numeric,
    currency_id int, display_type text, write_date timestamp default '2026-01-10'
);
create table account_partial_reconcile (
    id serial primary key, debit_move_id int, credit_move_id int, amount numeric, max_date date
);
create table crm_stage (id int primary key, name jsonb, is_won bool);
create table crm_lead (
    id int primary key, type text, partner_id int, company_id int, user_id int, stage_id int,
    probability float, expected_revenue numeric, create_date timestamp default '2026-01-01',
    date_deadline date, date_closed timestamp, active bool default true,
    write_date timestamp default '2026-01-06'
);
