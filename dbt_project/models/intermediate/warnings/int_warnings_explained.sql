with
warnings as (select * from {{ ref('int_warnings_raised') }}),
categories as (select * from {{ ref('int_categories_compared') }}),
contributions as (select * from {{ ref('int_contributions_aggregated_to_windows') }}),
deliveries as (select * from {{ ref('int_deliveries_measured') }}),
rules as (select * from {{ ref('int_warning_rules_selected') }}),

signals as (
    select
        customer_id,
        max(case when signal = 'cadence_lapse' then 1 else 0 end) = 1
            as has_cadence_lapse,
        max(case when signal = 'category_loss' then 1 else 0 end) = 1
            as has_category_loss,
        max(case when signal = 'shrinking_basket' then 1 else 0 end) = 1
            as has_shrinking_basket,
        max(case when signal = 'price_anomaly' then 1 else 0 end) = 1
            as has_price_anomaly,
        max(case when signal = 'open_complaint' then 1 else 0 end) = 1
            as has_open_complaint
    from warnings
    group by customer_id
),

{# Customers with the same contribution are all in or all out. #}
values_ranked as (
    select
        customer_id,
        rank() over (order by contribution_12m desc) - 1 as customers_above,
        count(*) over () as all_customers
    from contributions
    where contribution_12m > 0
),

judged as (
    select
        signals.*,
        signals.has_cadence_lapse
        or signals.has_category_loss
        or signals.has_shrinking_basket as is_declining,
        coalesce(
            deliveries.orders_late >= supply.minimum_count
            and deliveries.orders_late >= supply.threshold * deliveries.orders_due,
            false
        ) as is_supplied_badly,
        coalesce(
            values_ranked.customers_above
            < high.threshold * values_ranked.all_customers,
            false
        ) as is_high_value,
        coalesce(
            categories.compared_categories >= 2
            and categories.fallen_categories = categories.compared_categories,
            false
        ) as is_contracting,
        coalesce(
            categories.lost_categories = 1
            and categories.bought_categories >= 1
            and categories.fallen_other_categories = 0,
            false
        ) as is_insourcing
    from signals
    left join categories on signals.customer_id = categories.customer_id
    left join deliveries on signals.customer_id = deliveries.customer_id
    left join values_ranked on signals.customer_id = values_ranked.customer_id
    left join rules as supply on supply.signal = 'supply_failure'
    left join rules as high on high.signal = 'high_value'
),

{# What we can still put right comes first; late orders explain a decline only. #}
explained as (
    select
        customer_id,
        case
            when
                is_high_value
                and has_category_loss
                and (has_open_complaint or has_price_anomaly)
                then 'poaching'
            when has_open_complaint then 'unresolved_complaint'
            when is_declining and is_supplied_badly then 'supply_failure'
            when has_category_loss and is_insourcing then 'insourcing'
            when is_declining and is_contracting then 'contraction'
        end as cause_code
    from judged
)

select * from explained
