with

decisions as (

    select * from {{ ref('tier_decision') }}

),

compared as (

    select * from {{ ref('int_tiers_compared') }}

),

customers as (

    select * from {{ ref('int_customers_described') }}

),

joined as (

    select
        decisions.*,
        customers.customer_name,
        customers.country,
        customers.region,
        customers.industry,
        customers.owner_id,
        customers.owner_name,
        decisions.net_revenue_12m - coalesce(decisions.cogs_12m, 0) as cm1_12m,
        decisions.net_revenue_12m
        - coalesce(decisions.cogs_12m, 0)
        - coalesce(decisions.freight_12m, 0) as cm2_12m,
        decisions.net_revenue_12m
        - coalesce(decisions.cogs_12m, 0)
        - coalesce(decisions.freight_12m, 0)
        - coalesce(decisions.cost_to_serve_12m, 0) as cm3_12m,
        compared.contribution_12m_before,
        decisions.contribution_12m - compared.contribution_12m_before
            as contribution_12m_change,
        compared.missing_lines

    from decisions

    inner join compared
        on decisions.customer_id = compared.customer_id

    left join customers
        on decisions.customer_id = customers.customer_id

)

select * from joined
