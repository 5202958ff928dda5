with
accounts as (select * from {{ ref('int_accounts_matched') }}),
opportunities as (select * from {{ ref('stg_crm__opportunities') }}),
fx_rates as (select * from {{ ref('int_fx_rates_dated') }}),
policy as (select * from {{ ref('int_policies_selected') }}),
loyalty_weights as (
    {{ newest_rows(ref('loyalty_weights'), ['policy_id', 'component'], business_date()) }}
),

{# Nobody refers itself, though it may have several accounts. #}
referred as (
    select
        referrers.customer_id,
        count(*) as opportunities,
        sum(opportunities.amount * case
            when opportunities.currency = '{{ var("base_currency") }}' then 1
            else fx_rates.rate
        end) as amount
    from opportunities
    inner join accounts as referrers on opportunities.referred_by_account_id = referrers.account_id
    left join accounts on opportunities.account_id = accounts.account_id
    inner join policy
        on
            opportunities.closed_date > policy.window_start_date
            and opportunities.closed_date <= policy.business_date
    left join fx_rates
        on
            opportunities.currency = fx_rates.currency
            and opportunities.closed_date >= fx_rates.valid_from_date
            and opportunities.closed_date < fx_rates.valid_until_date
    where
        opportunities.is_won
        and referrers.customer_id is not null
        and (
            accounts.customer_id is null
            or referrers.customer_id <> accounts.customer_id
        )
    group by referrers.customer_id
),

{# Where no referral is known of anybody, nobody writes them down. #}
full_referrals as (
    select loyalty_weights.full_at as opportunities
    from loyalty_weights
    inner join policy on loyalty_weights.policy_id = policy.policy_id
    where
        loyalty_weights.component = 'referrals'
        and exists (select 1 from referred)
),

customers as (
    select distinct customer_id
    from accounts
    where customer_id is not null
),

measured as (
    select
        customers.customer_id,
        {{ to_money(
            'case when referred.customer_id is null then 0 else referred.amount end'
        ) }} as referred_amount_12m,
        cast(case
            when referred.opportunities >= full_referrals.opportunities then 1
            else coalesce(referred.opportunities, 0) / full_referrals.opportunities
        end as numeric(7, 6)) as referrals
    from customers
    cross join full_referrals
    left join referred on customers.customer_id = referred.customer_id
)

select * from measured
