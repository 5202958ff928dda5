with
decisions as (select * from {{ ref('tier_decision') }}),
flaps as (select * from {{ ref('int_flaps_counted') }}),
drift as (select * from {{ ref('int_behaviours_drifted') }}),

{# Equal amounts may stand in any order: the sums are the same. #}
placed as (
    select
        business_date,
        tier_score,
        greatest(contribution_12m, 0) as earned,
        row_number() over (order by contribution_12m asc) as poorest_first,
        row_number() over (order by contribution_12m desc) as richest_first,
        count(*) over () as customers,
        sum(greatest(contribution_12m, 0)) over () as pool,
        sum(greatest(contribution_12m, 0)) over (
            order by contribution_12m desc
            rows between unbounded preceding and current row
        ) as earned_so_far
    from decisions
),

measured as (
    select
        business_date,
        max(customers) as customers,
        count(tier_score) as customers_ranked,
        sum(case when richest_first <= ceil(0.01 * customers) then earned end)
        / nullif(max(pool), 0) as top1_profit_share,
        sum(case when richest_first <= ceil(0.20 * customers) then earned end)
        / nullif(max(pool), 0) as top20_profit_share,
        sum(
            case when earned_so_far - earned < 0.80 * pool then 1 else 0 end
        ) as customers_for_80_percent,
        2 * sum(poorest_first * earned) / nullif(max(customers) * max(pool), 0)
        - (max(customers) + 1.0) / max(customers) as gini,
        sum(earned * earned) / nullif(max(pool) * max(pool), 0) as hhi
    from placed
    group by business_date
),

typed as (
    select
        measured.business_date,
        flaps.policy_id,
        cast(measured.customers as integer) as customers,
        cast(measured.customers_ranked as integer) as customers_ranked,
        cast(flaps.changes as integer) as changes,
        cast(flaps.customers_flapped as integer) as customers_flapped,
        cast(
            1.0 * flaps.customers_flapped / nullif(measured.customers_ranked, 0)
            as numeric(14, 10)
        ) as flap_rate,
        cast(measured.top1_profit_share as numeric(14, 10)) as top1_profit_share,
        cast(measured.top20_profit_share as numeric(14, 10)) as top20_profit_share,
        cast(measured.customers_for_80_percent as integer) as customers_for_80_percent,
        cast(measured.gini as numeric(14, 10)) as gini,
        cast(measured.hhi as numeric(14, 10)) as hhi,
        drift.behaviour_drift,
        drift.compared_with
    from measured
    inner join flaps on measured.business_date = flaps.business_date
    inner join drift on measured.business_date = drift.business_date
)

select * from typed
