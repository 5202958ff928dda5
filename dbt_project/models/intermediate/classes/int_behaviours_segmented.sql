with
habits as (select * from {{ ref('int_habits_measured') }}),
categories as (select * from {{ ref('int_categories_aggregated_to_customers') }}),

behaviour_rules as (
    {{ rows_in_force(ref('behaviour_rules')) }}
),

{# Without any category of any customer, nobody knows how many were bought. #}
found as (
    select count(*) > 0 as has_categories
    from categories
),

behaviours as (
    select
        habits.*,
        categories.top_category,
        categories.category_entropy,
        case when found.has_categories then coalesce(categories.categories_12m, 0) end
            as categories_12m
    from habits
    cross join found
    left join categories on habits.customer_id = categories.customer_id
),

{# The first rule that applies decides, so no customer is in two segments. #}
matched as (
    select
        behaviours.customer_id,
        min(behaviour_rules.priority) as segment_priority
    from behaviours
    inner join behaviour_rules
        on
            {{ meets_bounds('behaviours', 'behaviour_rules', 'tenure_months') }}
            and {{ meets_bounds('behaviours', 'behaviour_rules', 'orders') }}
            and {{ meets_bounds('behaviours', 'behaviour_rules', 'recency_days') }}
            and {{ meets_bounds('behaviours', 'behaviour_rules', 'recency_intervals') }}
            and {{ meets_bounds('behaviours', 'behaviour_rules', 'orders_12m') }}
            and {{ meets_bounds('behaviours', 'behaviour_rules', 'categories_12m') }}
            and {{ meets_bounds('behaviours', 'behaviour_rules', 'trend') }}
    group by behaviours.customer_id
),

segmented as (
    select
        behaviours.customer_id,
        behaviour_rules.segment as behaviour_segment,
        matched.segment_priority,
        behaviours.recency_days,
        behaviours.recency_intervals,
        behaviours.orders_12m,
        behaviours.trend,
        behaviours.categories_12m,
        behaviours.top_category,
        behaviours.category_entropy
    from behaviours
    inner join matched on behaviours.customer_id = matched.customer_id
    inner join behaviour_rules on matched.segment_priority = behaviour_rules.priority
)

select * from segmented
