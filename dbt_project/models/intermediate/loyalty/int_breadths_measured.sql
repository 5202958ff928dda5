with
bought as (select * from {{ ref('int_categories_bought') }}),
descriptions as (select * from {{ ref('int_customers_described') }}),
contributions as (select * from {{ ref('int_contributions_aggregated_to_windows') }}),
policy as (select * from {{ ref('int_policies_selected') }}),
loyalty_weights as (
    {{ newest_rows(ref('loyalty_weights'), ['policy_id', 'component'], business_date()) }}
),

counted as (
    select
        customer_id,
        count(*) as categories
    from bought
    group by customer_id
),

{# Nobody can buy more categories than the company sold in the window. #}
full_breadth as (
    select
        least(
            max(loyalty_weights.full_at), count(distinct bought.product_category)
        ) as categories
    from bought
    cross join policy
    inner join loyalty_weights
        on
            policy.policy_id = loyalty_weights.policy_id
            and loyalty_weights.component = 'breadth'
),

measured as (
    select
        contributions.customer_id,
        cast(case
            when descriptions.annual_potential > 0
                then least(
                    1,
                    greatest(contributions.net_revenue_12m, 0)
                    / descriptions.annual_potential
                )
            when full_breadth.categories > 0
                then least(
                    1, coalesce(counted.categories, 0) / full_breadth.categories
                )
        end as numeric(7, 6)) as breadth
    from contributions
    cross join full_breadth
    left join descriptions on contributions.customer_id = descriptions.customer_id
    left join counted on contributions.customer_id = counted.customer_id
)

select * from measured
