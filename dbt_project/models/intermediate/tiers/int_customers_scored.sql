with

customers as (

    select * from {{ ref('int_orders_aggregated_to_customers') }}

),

contributions as (

    select * from {{ ref('int_contributions_aggregated_to_windows') }}

),

loyalties as (

    select * from {{ ref('int_loyalties_weighted') }}

),

policy as (

    select * from {{ ref('int_policies_selected') }}

),

weights as (

    select * from {{ ref('int_score_weights_selected') }}

),

{# New customers are not ranked against others. #}
ranked as (

    select
        customers.customer_id,
        contributions.contribution_12m,
        loyalties.loyalty_index

    from customers

    inner join policy
        on
            customers.first_sale_date <= policy.latest_first_sale_date
            and customers.orders >= policy.minimum_orders

    inner join contributions
        on customers.customer_id = contributions.customer_id

    left join loyalties
        on customers.customer_id = loyalties.customer_id

),

{# One row per amount, not per customer: equal amounts get equal scores. #}
amounts as (

    select
        contribution_12m,
        count(*) as customers

    from ranked
    group by contribution_12m

),

amounts_placed as (

    select
        contribution_12m,
        sum(customers) over (order by contribution_12m) - customers
            as customers_below,
        sum(customers) over () as customers_ranked

    from amounts

),

contribution_scored as (

    select
        ranked.*,
        cast(
            coalesce(
                100.0 * amounts_placed.customers_below
                / nullif(amounts_placed.customers_ranked - 1, 0),
                100
            ) as numeric(7, 4)
        ) as contribution_score

    from ranked

    inner join amounts_placed
        on ranked.contribution_12m = amounts_placed.contribution_12m

),

scored as (

    select
        contribution_scored.*,
        cast(
            round(
                100 * case
                    when contribution_scored.loyalty_index is null
                        then contribution_scored.contribution_score
                    else
                        weights.contribution_weight
                        * contribution_scored.contribution_score
                        + weights.loyalty_weight * contribution_scored.loyalty_index
                end,
                0
            ) as integer
        ) as tier_score

    from contribution_scored

    cross join weights

)

select * from scored
