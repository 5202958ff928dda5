with
contributions as (select * from {{ ref('int_contributions_aggregated_to_windows') }}),

descriptions as (
    select
        *,
        {{ spelling_key('industry') }} as industry_key
    from {{ ref('int_customers_described') }}
),

industry_codes as (
    select
        industry_code,
        {{ spelling_key('spelling') }} as industry_key
    from {{ ref('industry_codes') }}
),

coded as (
    select
        contributions.customer_id,
        contributions.contribution_12m,
        descriptions.industry,
        industry_codes.industry_code is not null as is_mapped,
        {# A customer of an unknown industry is not one of another industry. #}
        case
            when descriptions.industry_key is not null
                then coalesce(industry_codes.industry_code, 'other')
        end as industry_code
    from contributions
    left join descriptions on contributions.customer_id = descriptions.customer_id
    left join industry_codes on descriptions.industry_key = industry_codes.industry_key
),

ranked as (
    select
        customer_id,
        industry,
        industry_code,
        is_mapped,
        contribution_12m,
        rank() over (
            partition by industry_code
            order by contribution_12m desc
        ) as place,
        count(*) over (partition by industry_code) as customers,
        sum(greatest(contribution_12m, 0)) over (partition by industry_code) as earned
    from coded
),

known as (
    select
        customer_id,
        industry,
        industry_code,
        is_mapped,
        case when industry_code is not null then cast(place as integer) end
            as industry_rank,
        case when industry_code is not null then cast(customers as integer) end
            as industry_customers,
        case
            when industry_code is not null
                then cast(
                    greatest(contribution_12m, 0) / nullif(earned, 0)
                    as numeric(12, 10)
                )
        end as industry_share
    from ranked
)

select * from known
