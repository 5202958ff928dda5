with
accounts as (
    select
        *,
        {{ letters_and_digits('tax_id') }} as tax_key
    from {{ ref('stg_crm__accounts') }}
),

customers as (
    select
        *,
        {{ letters_and_digits('tax_id') }} as tax_key
    from {{ ref('int_customers_resolved') }}
),

scores as (select * from {{ ref('int_matches_scored') }}),

limits as (
    {{ rows_in_force(ref('match_limits')) }}
),

decisions as (select * from {{ ref('stg_ops__identity_decisions') }}),

account_survivors as (
    {{ resolve_merges(ref('stg_crm__accounts'), 'account_id') }}
),

{# A tax number that two customers share decides nothing. #}
tax_keys as (
    select
        tax_key,
        min(survivor_id) as survivor_id
    from customers
    where tax_key is not null
    group by tax_key
    having count(distinct survivor_id) = 1
),

latest_accepted as (
    select
        account_id,
        max(decision_id) as decision_id
    from decisions
    where kind = 'accept'
    group by account_id
),

{# Every rule has its say, the first one that is left decides. #}
proposed as (
    select
        latest_accepted.account_id,
        customers.survivor_id as customer_id,
        'decision' as match_rule,
        1 as place,
        cast(1 as numeric(5, 4)) as confidence
    from latest_accepted
    inner join decisions on latest_accepted.decision_id = decisions.decision_id
    inner join customers on decisions.customer_id = customers.customer_id

    union all

    select
        accounts.account_id,
        customers.survivor_id,
        case
            when customers.survivor_id = customers.customer_id then 'erp_customer_id'
            else 'merged_customer_id'
        end as match_rule,
        2 as place,
        cast(1 as numeric(5, 4)) as confidence
    from accounts
    inner join customers on accounts.erp_customer_id = customers.customer_id

    union all

    select
        accounts.account_id,
        tax_keys.survivor_id,
        'tax_id' as match_rule,
        3 as place,
        limits.tax_id_confidence as confidence
    from accounts
    inner join tax_keys on accounts.tax_key = tax_keys.tax_key
    cross join limits

    union all

    select
        scores.record_id as account_id,
        scores.customer_id,
        'score' as match_rule,
        4 as place,
        least(limits.score_confidence, cast(scores.points / 100.0 as numeric(5, 4)))
            as confidence
    from scores
    cross join limits
    where
        scores.pair_kind = 'account'
        and scores.verdict = 'accepted'
),

rejected as (
    select
        decisions.account_id,
        customers.survivor_id as customer_id
    from decisions
    inner join customers on decisions.customer_id = customers.customer_id
    where decisions.kind = 'reject'
),

ranked as (
    select
        proposed.*,
        row_number() over (
            partition by proposed.account_id
            order by proposed.place
        ) as choice
    from proposed
    left join rejected
        on
            proposed.account_id = rejected.account_id
            and proposed.customer_id = rejected.customer_id
    where
        rejected.account_id is null
        or proposed.match_rule = 'decision'
),

{# An account that was merged away follows the account that is left. #}
resolved as (
    select
        account_survivors.record_id as account_id,
        account_survivors.survivor_id as surviving_account_id,
        coalesce(of_survivor.customer_id, own.customer_id) as customer_id,
        coalesce(of_survivor.match_rule, own.match_rule) as match_rule,
        coalesce(of_survivor.confidence, own.confidence) as confidence
    from account_survivors
    left join ranked as own
        on
            account_survivors.record_id = own.account_id
            and own.choice = 1
    left join ranked as of_survivor
        on
            account_survivors.survivor_id = of_survivor.account_id
            and of_survivor.choice = 1
)

select * from resolved
