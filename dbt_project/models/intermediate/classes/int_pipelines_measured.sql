with
opportunities as (select * from {{ ref('stg_crm__opportunities') }}),
accounts as (select * from {{ ref('int_accounts_matched') }}),
fx_rates as (select * from {{ ref('int_fx_rates_dated') }}),
policy as (select * from {{ ref('int_policies_selected') }}),

{# Open on the business date; what was decided since was still open then. #}
open_then as (
    select
        opportunities.account_id,
        opportunities.amount * case
            when opportunities.currency = '{{ var("base_currency") }}' then 1
            else fx_rates.rate
        end as amount,
        opportunities.is_decided,
        opportunities.probability
    from (
        select
            *,
            is_won is not null or closed_date is not null as is_decided
        from opportunities
    ) as opportunities
    inner join policy
        on
            coalesce(opportunities.opened_date, policy.business_date)
            <= policy.business_date
            and (
                opportunities.closed_date > policy.business_date
                or not opportunities.is_decided
            )
    left join fx_rates
        on
            opportunities.currency = fx_rates.currency
            and policy.business_date >= fx_rates.valid_from_date
            and policy.business_date < fx_rates.valid_until_date
),

{# How it ended must not leak into a night before: its chance was that of the rest. #}
weighed as (
    select
        account_id,
        amount * coalesce(
            case when not is_decided then probability end,
            avg(case when not is_decided then probability end) over ()
        ) as pipeline_amount
    from open_then
),

summed as (
    select
        accounts.customer_id,
        count(weighed.account_id) as open_opportunities,
        sum(weighed.pipeline_amount) as pipeline_amount
    from accounts
    left join weighed on accounts.account_id = weighed.account_id
    where accounts.customer_id is not null
    group by accounts.customer_id
),

{# A company that keeps no opportunities does not know that there are none. #}
found as (
    select count(*) > 0 as has_opportunities
    from opportunities
),

measured as (
    select
        summed.customer_id,
        cast(summed.open_opportunities as integer) as open_opportunities,
        case
            when summed.open_opportunities = 0 then cast(0 as numeric(24, 6))
            else {{ to_money('summed.pipeline_amount') }}
        end as pipeline_amount
    from summed
    inner join found on found.has_opportunities
)

select * from measured
