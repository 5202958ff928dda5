with
habits as (select * from {{ ref('int_habits_measured') }}),
contributions as (select * from {{ ref('int_contributions_aggregated_to_windows') }}),
descriptions as (select * from {{ ref('int_customers_described') }}),
pipelines as (select * from {{ ref('int_pipelines_measured') }}),

measured as (
    select
        habits.customer_id,
        habits.trend as growth,
        pipelines.pipeline_amount as pipeline,
        case
            when descriptions.annual_potential > contributions.net_revenue_12m
                then
                    cast(
                        descriptions.annual_potential - contributions.net_revenue_12m
                        as numeric(24, 6)
                    )
            when descriptions.annual_potential is not null
                then cast(0 as numeric(24, 6))
        end as headroom
    from habits
    inner join contributions on habits.customer_id = contributions.customer_id
    left join descriptions on habits.customer_id = descriptions.customer_id
    left join pipelines on habits.customer_id = pipelines.customer_id
)

select * from measured
