with
tonight as (select * from {{ ref('int_behaviours_segmented') }}),
before as (select * from {{ ref('stg_bi__behaviours') }}),

both_nights as (
    select
        behaviour_segment,
        1 as customers_now,
        0 as customers_before,
        cast(null as date) as business_date
    from tonight

    union all

    select
        behaviour_segment,
        0 as customers_now,
        1 as customers_before,
        business_date
    from before
),

shared as (
    select
        1.0 * sum(customers_now) / nullif(sum(sum(customers_now)) over (), 0) as share_now,
        1.0 * sum(customers_before) / nullif(sum(sum(customers_before)) over (), 0)
            as share_before,
        max(business_date) as business_date
    from both_nights
    group by behaviour_segment
),

{# Total variation: the share of the customers that would have to change their segment. #}
drifted as (
    select
        {{ business_date() }} as business_date,
        max(business_date) as compared_with,
        cast(sum(abs(share_now - share_before)) / 2 as numeric(5, 4)) as behaviour_drift
    from shared
)

select * from drifted
