{{ config(indexes=[{'columns': ['policy_id', 'business_date', 'component', 'place']}]) }}
with
components as (select * from {{ ref('int_components_scored') }}),

{# Customers with the same amount may stand in any order: only the amount is read. #}
ordered as (
    select
        policy_id,
        business_date,
        component,
        metric as amount,
        row_number() over (
            partition by policy_id, business_date, component order by metric
        ) as place
    from components
    where component in ({{ money_components() }})
)

select * from ordered
