-- Tables of ERPNext 13 to 15 with the columns of its doctypes that a source may want. A table of a
-- child has the name of its parent document in `parent` and its row number in `idx`.
create table `tabCompany` (name varchar(140) primary key, default_currency varchar(140),
    parent_company varchar(140), is_group int default 0, modified datetime(6));
create table `tabCustomer` (name varchar(140) primary key, customer_name varchar(140),
    customer_type varchar(140), customer_group varchar(140), territory varchar(140),
    tax_id varchar(140), default_currency varchar(140), account_manager varchar(140),
    disabled int default 0, is_frozen int default 0, is_internal_customer int default 0,
    represents_company varchar(140), creation datetime(6) default '2025-01-01',
    modified datetime(6) default '2025-01-02');
create table `tabItem` (name varchar(140) primary key, item_name varchar(140),
    item_group varchar(140), stock_uom varchar(140), is_stock_item int default 1,
    valuation_rate decimal(21,9) default 0, disabled int default 0,
    modified datetime(6) default '2025-01-01');
create table `tabSales Invoice` (name varchar(140) primary key, company varchar(140),
    customer varchar(140), posting_date date, due_date date, is_pos int default 0,
    is_consolidated int default 0, is_return int default 0, is_debit_note int default 0,
    is_opening varchar(140) default 'No', update_stock int default 0,
    return_against varchar(140), amended_from varchar(140), currency varchar(140),
    conversion_rate decimal(21,9) default 1, net_total decimal(21,9) default 0,
    base_net_total decimal(21,9) default 0, discount_amount decimal(21,9) default 0,
    base_grand_total decimal(21,9) default 0, base_write_off_amount decimal(21,9) default 0,
    outstanding_amount decimal(21,9) default 0, total_advance decimal(21,9) default 0,
    debit_to varchar(140), party_account_currency varchar(140),
    status varchar(140), docstatus int default 1, modified datetime(6) default '2026-01-10');
create table `tabSales Invoice Item` (name varchar(140) primary key, parent varchar(140),
    parenttype varchar(140) default 'Sales Invoice', idx int default 1, item_code varchar(140),
    item_name varchar(140), qty decimal(21,9) default 0, uom varchar(140) default 'Nos',
    stock_uom varchar(140) default 'Nos', conversion_factor decimal(21,9) default 1,
    stock_qty decimal(21,9) default 0, rate decimal(21,9) default 0,
    amount decimal(21,9) default 0, net_amount decimal(21,9) default 0,
    base_amount decimal(21,9) default 0, base_net_amount decimal(21,9) default 0,
    incoming_rate decimal(21,9) default 0, income_account varchar(140),
    sales_order varchar(140), so_detail varchar(140), delivery_note varchar(140),
    sales_invoice_item varchar(140), modified datetime(6) default '2026-01-10');
create table `tabPOS Invoice` (name varchar(140) primary key, company varchar(140),
    customer varchar(140), posting_date date, base_grand_total decimal(21,9),
    consolidated_invoice varchar(140), docstatus int default 1, modified datetime(6));
create table `tabPayment Entry` (name varchar(140) primary key, posting_date date,
    payment_type varchar(140) default 'Receive', party_type varchar(140) default 'Customer',
    party varchar(140), paid_amount decimal(21,9), unallocated_amount decimal(21,9) default 0,
    docstatus int default 1);
create table `tabPayment Entry Reference` (name varchar(140) primary key, parent varchar(140),
    reference_doctype varchar(140) default 'Sales Invoice', reference_name varchar(140),
    allocated_amount decimal(21,9));
create table `tabCurrency Exchange` (name varchar(140) primary key, date date,
    from_currency varchar(140), to_currency varchar(140), exchange_rate decimal(21,9),
    for_buying int default 1, for_selling int default 1);
create table `tabUser` (name varchar(140) primary key, full_name varchar(140), email varchar(140),
    language varchar(140), enabled int default 1, user_type varchar(140) default 'System User',
    modified datetime(6) default '2025-01-01');
create table `tabOpportunity` (name varchar(140) primary key, company varchar(140),
    party_name varchar(140), opportunity_from varchar(140), sales_stage varchar(140),
    opportunity_amount decimal(21,9), base_opportunity_amount decimal(21,9),
    currency varchar(140), conversion_rate decimal(21,9), probability decimal(21,9),
    status varchar(140), expected_closing date, creation datetime(6) default '2026-01-01',
    modified datetime(6) default '2026-01-02');
create table `tabIssue` (name varchar(140) primary key, customer varchar(140),
    issue_type varchar(140), priority varchar(140), status varchar(140),
    first_responded_on datetime(6), creation datetime(6) default '2026-01-01',
    modified datetime(6) default '2026-01-03');
create table `tabWarranty Claim` (name varchar(140) primary key, customer varchar(140),
    status varchar(140), resolution_date datetime(6), creation datetime(6) default '2026-01-01',
    modified datetime(6) default '2026-01-03');
