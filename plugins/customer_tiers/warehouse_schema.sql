-- The warehouse's own tables. Every statement can run again on a warehouse that has them.
create schema if not exists stage;
create schema if not exists raw;
create schema if not exists quarantine;
create schema if not exists ops;
create schema if not exists candidate;
create schema if not exists bi;

create table if not exists ops.warehouse (
    only_row boolean primary key default true check (only_row),
    source text not null
);
comment on table ops.warehouse is 'The one company that this warehouse holds.';

create table if not exists ops.run (
    run_id text primary key,
    business_date date,
    path text,
    state text not null,
    message text,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    fingerprint text,
    repeats text
);
alter table ops.run add column if not exists fingerprint text;
alter table ops.run add column if not exists repeats text;
comment on table ops.run is 'One row per nightly run: running, published or failed, and why.';
comment on column ops.run.fingerprint is 'Hash of all that its night is computed from.';
comment on column ops.run.repeats is 'Run whose publication it repeats, as nothing was new; empty otherwise.';
comment on column ops.run.started_at is 'When it was triggered.';

create table if not exists ops.load_ledger (
    load_id bigint generated always as identity primary key,
    run_id text not null,
    entity text not null,
    is_delivered boolean not null,
    is_incremental boolean not null,
    window_from timestamptz,
    window_to timestamptz,
    rows_read bigint not null default 0,
    rows_inserted bigint not null default 0,
    rows_updated bigint not null default 0,
    rows_deleted bigint not null default 0,
    rows_quarantined bigint not null default 0,
    rows_in_raw bigint not null default 0,
    loaded_at timestamptz not null default clock_timestamp()
);
comment on table ops.load_ledger is 'One row per run and entity, written in the transaction that loaded its rows.';

create table if not exists ops.watermark (
    entity text primary key,
    cursor_at timestamptz not null
);
alter table ops.watermark add column if not exists reconciled_on date;
alter table ops.watermark add column if not exists select_digest text;
comment on table ops.watermark is
'Up to where each entity was read; the next extract starts an overlap before it. reconciled_on is the day of the last load '
'that compared its months with the source, select_digest stands for the SELECT: another is read whole.';

create table if not exists ops.expectation_result (
    run_id text not null,
    suite text not null,
    expectation text not null,
    column_name text,
    severity text not null,
    is_met boolean not null,
    rows_checked bigint,
    rows_failed bigint,
    reason text not null,
    observed text,
    checked_at timestamptz not null default clock_timestamp()
);
create index if not exists expectation_result_run on ops.expectation_result (run_id);
comment on table ops.expectation_result is 'One row per run and expectation.';

create table if not exists ops.dbt_node_run (
    run_id text not null,
    node text not null,
    kind text not null,
    status text not null,
    seconds numeric(12, 3) not null,
    rows_affected bigint,
    message text,
    finished_at timestamptz not null default clock_timestamp()
);
create index if not exists dbt_node_run_run on ops.dbt_node_run (run_id);
comment on table ops.dbt_node_run is 'One row per run and dbt node.';

create table if not exists ops.step_run (
    run_id text not null,
    step text not null,
    part text not null,
    started_at timestamptz not null,
    seconds numeric(12, 3) not null,
    peak_mb numeric(8, 1)
);
create index if not exists step_run_run on ops.step_run (run_id);
comment on table ops.step_run is 'One row per run, attempt of a step, and part of it: where the time goes.';
comment on column ops.step_run.step is 'Task of the DAG.';
comment on column ops.step_run.part is 'Path of the part within the step, such as erp.invoice_lines/copy; empty = all of it.';
comment on column ops.step_run.seconds is 'Elapsed, of all times that the part ran; its own parts are in it.';
comment on column ops.step_run.peak_mb is 'Largest resident size of the process up to the end of the step, MB.';

create table if not exists ops.dirty_day (
    fact text not null,
    key_id text not null,
    day date not null,
    primary key (fact, key_id, day)
);
comment on table ops.dirty_day is
'Days from which on a new, changed or deleted line or receivable counts; emptied once the facts are made.';

create table if not exists ops.accepted_day (
    entity text not null,
    day date not null,
    accepted_at timestamptz not null default clock_timestamp(),
    primary key (entity, day)
);
comment on table ops.accepted_day is
'One row per entity and day that is far from what its weekday usually has, and that somebody accepted (--accept-drift).';

create table if not exists ops.tier_override (
    customer_id text not null,
    tier text not null,
    valid_from date not null,
    valid_until date not null check (valid_until >= valid_from),
    reason text not null check (reason <> ''),
    approver text not null check (approver <> ''),
    primary key (customer_id, valid_from)
);
comment on table ops.tier_override is
'Tiers set by hand, each with a reason, an approver and its last day; beside the seed tier_overrides.';

create table if not exists quarantine.rows (
    entity text not null,
    row_key text not null,
    rule text not null,
    column_name text,
    reason text not null,
    row_data jsonb not null,
    first_seen_run text not null,
    last_seen_run text not null,
    first_seen_at timestamptz not null default clock_timestamp(),
    last_seen_at timestamptz not null default clock_timestamp(),
    resolved_run text,
    resolved_at timestamptz,
    primary key (entity, row_key, rule)
);
comment on table quarantine.rows is 'One row per bad source row and rule it broke; resolved once the source sends it right.';

create table if not exists ops.outbox (
    outbox_key text primary key,
    kind text not null,
    recipient_id text not null,
    recipient_name text not null,
    address text not null,
    locale text not null,
    business_date date not null,
    payload jsonb not null,
    state text not null default 'pending'
    check (state in ('pending', 'sending', 'sent', 'unknown', 'failed', 'suppressed')),
    is_retryable boolean not null default false,
    attempts integer not null default 0,
    last_error text,
    created_at timestamptz not null default clock_timestamp(),
    changed_at timestamptz not null default clock_timestamp(),
    content_hash text not null,
    role text not null,
    channel text not null default 'mail',
    corrects text,
    claimed_by integer,
    claimed_until timestamptz
);
do $$
begin
    if exists (
        select from information_schema.columns
        where table_schema = 'ops' and table_name = 'outbox' and column_name = 'recipient_email'
    ) then
        alter table ops.outbox rename column recipient_email to address;
        alter table ops.outbox
            add column content_hash text, add column role text,
            add column channel text not null default 'mail', add column corrects text,
            add column claimed_by integer, add column claimed_until timestamptz;
        update ops.outbox set content_hash = outbox_key, role = 'owner';
        update ops.outbox
        set state = 'suppressed', is_retryable = false,
            last_error = 'written by an older version that can no longer be sent'
        where state in ('pending', 'failed');
        alter table ops.outbox
            alter column content_hash set not null, alter column role set not null;
    end if;
end
$$;
create index if not exists outbox_waiting on ops.outbox (business_date)
where state in ('pending', 'sending', 'failed');
create index if not exists outbox_night on ops.outbox (business_date, kind, recipient_id);
comment on table ops.outbox is
'One row per message owed to somebody, written in the publishing transaction; its state says what became of it.';
comment on column ops.outbox.outbox_key is
'Hash of channel, recipient, kind, business date and content, and for a correction of what it corrects; part of the Message-ID.';
comment on column ops.outbox.kind is 'Kind of the message; of a mail of several parts that of the first one.';
comment on column ops.outbox.content_hash is 'Hash of the same without what it corrects: equal content is not told twice.';
comment on column ops.outbox.corrects is 'Key of the first message about the same, which had gone out; empty unless it is a correction.';
comment on column ops.outbox.channel is 'mail, webhook or chat.';
comment on column ops.outbox.address is 'Mail address; for webhook and chat the name of an Airflow connection.';
comment on column ops.outbox.state is
'pending; sending = handed over right now; sent; unknown = perhaps sent, never sent again by itself; '
'failed; suppressed = it will not be sent, last_error says why.';
comment on column ops.outbox.is_retryable is 'A failed message that the next sending tries again.';
comment on column ops.outbox.claimed_by is 'Database session of the sender that has it in state sending.';
comment on column ops.outbox.claimed_until is 'End of that sender''s lease: from then on the message counts as left behind.';

create table if not exists ops.news_told (
    business_date date not null,
    recipient_id text not null,
    kind text not null,
    customer_id text not null,
    topic text not null,
    cause text not null,
    direction text not null,
    primary key (business_date, recipient_id, kind, customer_id, topic, cause)
);
comment on table ops.news_told is
'One row per published night, recipient, kind of mail, customer and piece of news: what later nights need not say again.';

create table if not exists bi.publication (
    run_id text primary key,
    source text not null,
    business_date date,
    status text not null check (status in ('published', 'refused')),
    is_stale boolean not null,
    message text,
    base_currency text,
    policy_id text,
    customers bigint,
    customers_ranked bigint,
    tier_changes bigint,
    contribution_12m numeric(24, 6),
    checks_run bigint,
    checks_not_met bigint,
    rows_quarantined bigint,
    missing_entities text,
    missing_lines text,
    published_at timestamptz not null default clock_timestamp()
);
alter table bi.publication add column if not exists receipts_thinned_at timestamptz;
alter table bi.publication add column if not exists policy_version text;
comment on table bi.publication is 'One row per nightly run: what was published, or why not.';
comment on column bi.publication.run_id is 'Run of the nightly DAG.';
comment on column bi.publication.source is 'Source folder of the company that this warehouse holds.';
comment on column bi.publication.business_date is 'Day that the night describes; windows end on it.';
comment on column bi.publication.status is 'published, or refused when a step or check failed.';
comment on column bi.publication.is_stale is
'True on the newest published night while a later night has failed: bi shows this older night.';
comment on column bi.publication.message is 'Why the night was refused, or why this one is stale.';
comment on column bi.publication.base_currency is 'Currency of all amounts in bi.';
comment on column bi.publication.policy_id is 'Tier policy in force.';
comment on column bi.publication.policy_version is 'Version of its rows, as in policy: another one means that a row is another.';
comment on column bi.publication.customers is 'Customers with at least one posted sale.';
comment on column bi.publication.customers_ranked is 'Customers that are ranked, so all but the new ones.';
comment on column bi.publication.tier_changes is 'Customers whose tier differs from the night before.';
comment on column bi.publication.contribution_12m is
'Contribution (cm4) of all customers in the trailing 12 months, in base currency.';
comment on column bi.publication.checks_run is 'Expectations that Great Expectations checked.';
comment on column bi.publication.checks_not_met is 'Expectations that were not met and did not stop the night.';
comment on column bi.publication.rows_quarantined is 'Source rows that wait in quarantine.';
comment on column bi.publication.missing_entities is 'Entities of the contract that the source does not deliver.';
comment on column bi.publication.missing_lines is 'Lines of the customer P&L for which there are no data.';
comment on column bi.publication.published_at is 'When the row was written (UTC).';
comment on column bi.publication.receipts_thinned_at is
'When the receipts of the night were dropped, because only month ends are kept for long; empty while they are there.';

create table if not exists bi.customer_tier_history (
    customer_id text not null,
    tier text not null,
    tier_rank integer,
    policy_id text not null,
    cause text not null,
    valid_from date not null,
    valid_to date check (valid_to > valid_from),
    known_from timestamptz not null,
    known_to timestamptz check (known_to > known_from),
    run_id text not null,
    primary key (customer_id, valid_from, known_from)
);
alter table bi.customer_tier_history add column if not exists policy_version text;
create unique index if not exists customer_tier_history_known_now
on bi.customer_tier_history (customer_id, valid_from)
where known_to is null;
comment on table bi.customer_tier_history is
'One row per customer, stretch of business dates in which it held one tier, and stretch of time in which that was what '
'we knew. Rows are never deleted or changed, but for known_to; ask it through bi.tier_as_of.';
comment on column bi.customer_tier_history.customer_id is 'ERP customer number that is left after all merges.';
comment on column bi.customer_tier_history.tier is 'Tier held, as in tier_decision.';
comment on column bi.customer_tier_history.tier_rank is 'Rank of the tier, 1 = best; empty for new customers.';
comment on column bi.customer_tier_history.policy_id is 'Policy that decided the night on which the stretch begins.';
comment on column bi.customer_tier_history.policy_version is
'Version of that policy''s rows, as in policy; empty in what was learnt by an earlier version of the software.';
comment on column bi.customer_tier_history.cause is
'Cause of the change that opened the stretch, as in tier_decision; restatement when a past night was computed again; '
'renumbered where a number goes on with the tier of the one that it replaced.';
comment on column bi.customer_tier_history.valid_from is 'First business date of the stretch: a published night.';
comment on column bi.customer_tier_history.valid_to is
'Published night from which on the customer had another tier or none; empty while it holds.';
comment on column bi.customer_tier_history.known_from is 'Moment of the publication that taught us the stretch (UTC).';
comment on column bi.customer_tier_history.known_to is
'Moment of the publication that taught us better (UTC); empty while it is what we know.';
comment on column bi.customer_tier_history.run_id is 'Run of the publication that taught us the stretch.';

create or replace function bi.tier_as_of(business_date date, known_at timestamptz default 'infinity')
returns table (customer_id text, tier text, tier_rank integer, valid_from date, cause text)
language sql stable
as $$
    select held.customer_id, held.tier, held.tier_rank, held.valid_from, held.cause
    from bi.customer_tier_history as held
    where held.valid_from <= tier_as_of.business_date
        and (held.valid_to is null or held.valid_to > tier_as_of.business_date)
        and held.known_from <= tier_as_of.known_at
        and (held.known_to is null or held.known_to > tier_as_of.known_at)
$$;
comment on function bi.tier_as_of is
'The tier of each customer on a business date, as it was known at a moment; without the moment, as it is known now. '
'valid_from and cause are those of the stretch as it was known then.';

-- One customer across systems: what speaks for it, what people decided, and the keys that stay.
create table if not exists ops.match_evidence (
    pair_kind text not null check (pair_kind in ('account', 'duplicate')),
    record_id text not null,
    customer_id text not null,
    evidence text not null,
    value numeric(5, 4) not null,
    primary key (pair_kind, record_id, customer_id, evidence)
);
comment on table ops.match_evidence is
'One row per pair of records that might be one customer and kind of evidence; made anew when records change. '
'pair_kind account: an account of the CRM and a customer; duplicate: two customers of the ERP.';

create table if not exists ops.match_state (
    only_row boolean primary key default true check (only_row),
    compared text not null
);
comment on table ops.match_state is 'What the evidence was made from; equal records are not compared again.';

create table if not exists ops.identity_decision (
    decision_id bigint generated always as identity primary key,
    kind text not null check (kind in ('accept', 'reject', 'merge', 'split', 'apart')),
    account_id text,
    customer_id text not null,
    into_customer_id text,
    reason text not null check (reason <> ''),
    decided_by text not null check (decided_by <> ''),
    decided_at timestamptz not null default clock_timestamp(),
    undone_by text,
    undone_at timestamptz,
    check ((kind in ('accept', 'reject')) = (account_id is not null)),
    check ((kind in ('merge', 'apart')) = (into_customer_id is not null)),
    check (into_customer_id <> customer_id)
);
comment on table ops.identity_decision is
'One row per decision of a person: accept or reject (is this account that customer), merge, apart (no duplicates) or '
'split (stands alone, whatever the ERP says). Rows are never deleted; one that was undone decides nothing.';

create table if not exists ops.customer_key (
    customer_key bigint generated always as identity (start with 1000001) primary key,
    system text not null,
    record_id text not null,
    first_run_id text not null,
    first_seen_at timestamptz not null default clock_timestamp(),
    unique (system, record_id)
);
comment on table ops.customer_key is
'One row per record of a customer ever seen, with a key of our own that never changes and is never given twice.';

create table if not exists bi.customer_identity_history (
    source_system text not null,
    record_id text not null,
    record_key bigint,
    customer_key bigint,
    customer_id text,
    match_rule text,
    known_from timestamptz not null,
    known_to timestamptz check (known_to > known_from),
    run_id text not null,
    primary key (source_system, record_id, known_from)
);
comment on table bi.customer_identity_history is
'One row per record of ERP or CRM and stretch of time in which we took it for one customer. Rows are never deleted or '
'changed, but for known_to: a merge closes one and opens another, a split brings the customer back under its own key.';
comment on column bi.customer_identity_history.source_system is 'erp or crm.';
comment on column bi.customer_identity_history.record_id is 'Customer or account number of that system.';
comment on column bi.customer_identity_history.record_key is 'Our own key of the record; never changes.';
comment on column bi.customer_identity_history.customer_key is 'Key of the customer it belonged to.';
comment on column bi.customer_identity_history.customer_id is 'ERP number of that customer; empty for an account of nobody.';
comment on column bi.customer_identity_history.match_rule is 'Why, as in customer_identity.';
comment on column bi.customer_identity_history.known_from is 'Moment of the publication that taught us so (UTC).';
comment on column bi.customer_identity_history.known_to is 'Moment of the one that taught us better; empty while it holds.';
comment on column bi.customer_identity_history.run_id is 'Run of the publication that taught us so.';

create or replace function bi.customer_of(any_key bigint, known_at timestamptz default 'infinity')
returns table (customer_key bigint, customer_id text)
language sql stable
as $$
    select held.customer_key, held.customer_id
    from bi.customer_identity_history as held
    where held.record_key = customer_of.any_key
        and held.known_from <= customer_of.known_at
        and (held.known_to is null or held.known_to > customer_of.known_at)
$$;
comment on function bi.customer_of is
'The customer that a key means at a moment, after all merges and splits; without the moment, now.';

-- Customers that the ERP renumbers: a number is gone, and another one goes on with its history.
alter table ops.identity_decision add column if not exists is_renumbering boolean not null default false;
comment on column ops.identity_decision.is_renumbering is
'A merge of a number that the ERP listed no more into one that it listed later: key, tier and history go on under that one.';
alter table ops.match_evidence drop constraint if exists match_evidence_pair_kind_check;
alter table ops.match_evidence add constraint match_evidence_pair_kind_check
check (pair_kind in ('account', 'duplicate', 'renumbered'));
comment on table ops.match_evidence is
'One row per pair of records that might be one customer and kind of evidence; made anew when records change. '
'pair_kind account: an account of the CRM and a customer; duplicate: two customers of the ERP; renumbered: a number that the '
'ERP lists no more, and a customer that it listed later.';
create table if not exists ops.customer_last_known (
    customer_id text primary key,
    name text,
    tax_id text,
    domain text,
    phone text,
    address text,
    postal_code text,
    city text,
    country text,
    stands_alone boolean not null,
    loaded_at timestamptz not null,
    gone_since timestamptz
);
comment on table ops.customer_last_known is
'One row per customer number that the ERP ever listed, as it was last described; gone_since is the moment of the first night '
'without it, stands_alone says that it was neither merged away nor part of our own company.';

-- Looking after what was set aside, and after sources that change.
alter table quarantine.rows add column if not exists dropped_by text;
alter table quarantine.rows add column if not exists drop_reason text;
comment on column quarantine.rows.dropped_by is
'Who gave the row up; it stays out as long as the source sends it unchanged.';
alter table ops.load_ledger add column if not exists kind text not null default 'extract';
comment on column ops.load_ledger.kind is
'extract; reconcile = months that differed, read again; replay = rows from quarantine, offered again.';

create table if not exists ops.entity_owner (
    entity text primary key,
    owner text not null
);
comment on table ops.entity_owner is 'One row per entity: who mends its data, as its suite of expectations says.';

create table if not exists ops.source_column (
    entity text not null,
    column_name text not null,
    is_loaded boolean not null,
    first_seen_run text not null,
    last_seen_run text not null,
    first_seen_at timestamptz not null default clock_timestamp(),
    primary key (entity, column_name)
);
alter table ops.source_column add column if not exists kind text;
comment on column ops.source_column.kind is
'Kind of type at the source when it was last read; empty for files and REST, whose values are text.';
comment on table ops.source_column is
'One row per entity and column that its SELECT has returned. Columns that the contract does not know are noted and '
'kept in _unknown of the table in raw; one that was loaded and is missing, or of another kind of type, stops the source.';

create table if not exists ops.reconciliation (
    entity text not null,
    month_start date not null,
    source_rows bigint not null,
    source_sum numeric,
    raw_rows bigint not null,
    raw_sum numeric,
    run_id text not null,
    checked_at timestamptz not null default clock_timestamp(),
    primary key (entity, month_start)
);
comment on table ops.reconciliation is
'One row per entity and month in which raw differs from the source even after the month was read again whole; it is read '
'again once what lies between them changes. 0001-01-01 stands for all rows of an entity without a period.';

create table if not exists ops.month_in_raw (
    entity text not null,
    month_start date not null,
    lines bigint not null,
    total numeric,
    primary key (entity, month_start)
);
comment on table ops.month_in_raw is
'One row per entity and month: how many rows raw has of it, and their sum. Follows each load in its transaction, so that '
'no night counts all of history; forgotten by the weekly maintenance, after which the next night counts again. 0001-01-01 '
'stands for all rows of an entity without a period.';

create table if not exists ops.merge_ring (
    entity text not null,
    record_id text not null,
    reason text not null,
    first_seen_run text not null,
    first_seen_at timestamptz not null default clock_timestamp(),
    primary key (entity, record_id)
);
comment on table ops.merge_ring is
'One row per record of raw that is merged, over others or at once, into itself, so that it stays apart.';

create or replace view bi.stewardship as
select
    held.entity,
    held.row_key,
    held.rule,
    held.column_name,
    held.reason,
    owners.owner,
    held.first_seen_at as waiting_since,
    held.first_seen_run,
    held.last_seen_at
from quarantine.rows as held
left join ops.entity_owner as owners on held.entity = owners.entity
where held.resolved_run is null
union all
select
    columns.entity,
    columns.column_name,
    'unknown_column',
    columns.column_name,
    'the source has a column that the contract does not know; its values are only kept in _unknown of the table in raw',
    owners.owner,
    columns.first_seen_at,
    columns.first_seen_run,
    columns.first_seen_at
from ops.source_column as columns
left join ops.entity_owner as owners on columns.entity = owners.entity
where not columns.is_loaded
union all
select
    rings.entity,
    rings.record_id,
    'merged_in_a_ring',
    'merged_into_id',
    rings.reason,
    owners.owner,
    rings.first_seen_at,
    rings.first_seen_run,
    rings.first_seen_at
from ops.merge_ring as rings
left join ops.entity_owner as owners on rings.entity = owners.entity;
comment on view bi.stewardship is
'One row per source row that waits in quarantine and rule it broke, per column that nobody reads, and per record merged in a ring: what to mend, where, '
'since when, and who owns the source. Open questions of identity are in match_review.';
comment on column bi.stewardship.entity is 'Entity of the contract.';
comment on column bi.stewardship.row_key is 'Key of the row at the source; of a column its name.';
comment on column bi.stewardship.rule is 'The rule it broke, unknown_column or merged_in_a_ring.';
comment on column bi.stewardship.column_name is 'The column or columns that the rule is about.';
comment on column bi.stewardship.reason is 'Why that matters.';
comment on column bi.stewardship.owner is 'Who mends the data.';
comment on column bi.stewardship.waiting_since is 'When it was first seen (UTC).';
comment on column bi.stewardship.first_seen_run is 'Run that first saw it.';
comment on column bi.stewardship.last_seen_at is 'When it was last seen (UTC).';
