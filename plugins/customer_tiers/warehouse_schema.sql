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
    finished_at timestamptz
);
comment on table ops.run is 'One row per nightly run: running, published or failed, and why.';

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
comment on table ops.watermark is 'Up to where each entity was read; the next extract starts an overlap before it.';

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

create table if not exists ops.dirty_day (
    fact text not null,
    key_id text not null,
    day date not null,
    primary key (fact, key_id, day)
);
comment on table ops.dirty_day is
'Days whose facts a new, changed or deleted row touched; emptied by the model that rebuilt them, in one transaction.';

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
    recipient_email text not null,
    locale text not null,
    business_date date not null,
    payload jsonb not null,
    state text not null default 'pending'
    check (state in ('pending', 'sending', 'sent', 'unknown', 'failed', 'suppressed')),
    attempts integer not null default 0,
    last_error text,
    created_at timestamptz not null default clock_timestamp(),
    changed_at timestamptz not null default clock_timestamp()
);
comment on table ops.outbox is 'One row per mail, written in the publishing transaction; its state says what became of it.';
