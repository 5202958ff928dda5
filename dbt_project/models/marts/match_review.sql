with
scores as (select * from {{ ref('int_matches_scored') }}),
evidence as (select * from {{ ref('stg_ops__match_evidence') }}),
matches as (select * from {{ ref('int_accounts_matched') }}),
accounts as (select * from {{ ref('stg_crm__accounts') }}),
owners as (select * from {{ ref('stg_crm__owners') }}),
customers as (select * from {{ ref('int_customers_resolved') }}),
tiers as (select * from {{ ref('customer_tier') }}),
remembered as (select * from {{ ref('stg_bi__match_reviews') }}),
known as (select * from {{ ref('stg_ops__customers_last_known') }}),

{# What settled an account in another way needs no answer any more. #}
doubtful as (
    select scores.*
    from scores
    left join matches
        on
            scores.record_id = matches.account_id
            and scores.pair_kind = 'account'
    where
        scores.verdict = 'doubtful'
        and matches.customer_id is null
),

reasons as (
    select
        pair_kind,
        record_id,
        customer_id,
        {{ dbt.listagg(
            "evidence || ' ' || cast(evidence_value as " ~ dbt.type_string() ~ ")",
            "', '",
            'order by evidence'
        ) }} as evidence
    from evidence
    group by pair_kind, record_id, customer_id
),

described as (
    select
        {{ business_date() }} as business_date,
        doubtful.pair_kind,
        doubtful.record_id,
        coalesce(accounts.account_name, known.customer_name, other_customers.customer_name)
            as record_name,
        doubtful.customer_id,
        customers.customer_name,
        doubtful.points,
        reasons.evidence,
        coalesce(tiers.contribution_12m, former_tiers.contribution_12m) as contribution_12m,
        coalesce(accounts.owner_id, customers.account_manager_id) as owner_id,
        owners.owner_name,
        coalesce(remembered.waiting_since, {{ business_date() }}) as waiting_since
    from doubtful
    inner join customers on doubtful.customer_id = customers.customer_id
    left join accounts
        on
            doubtful.record_id = accounts.account_id
            and doubtful.pair_kind = 'account'
    left join customers as other_customers
        on
            doubtful.record_id = other_customers.customer_id
            and doubtful.pair_kind = 'duplicate'
    left join owners on coalesce(accounts.owner_id, customers.account_manager_id) = owners.owner_id
    left join tiers on doubtful.customer_id = tiers.customer_id
    left join tiers as former_tiers
        on
            doubtful.record_id = former_tiers.customer_id
            and doubtful.pair_kind = 'renumbered'
    left join known
        on
            doubtful.record_id = known.customer_id
            and doubtful.pair_kind = 'renumbered'
    left join reasons
        on
            doubtful.pair_kind = reasons.pair_kind
            and doubtful.record_id = reasons.record_id
            and doubtful.customer_id = reasons.customer_id
    left join remembered
        on
            doubtful.pair_kind = remembered.pair_kind
            and doubtful.record_id = remembered.record_id
            and doubtful.customer_id = remembered.customer_id
)

select * from described
