with
product_days as (select * from {{ ref('int_product_days_touched') }}),
windows as (select * from {{ ref('int_windows_compared') }}),

dated as (
    select
        product_days.*,
        product_days.day > windows.window_start_date as is_now,
        coalesce(
            product_days.posted_day <= windows.before_date
            and product_days.day > windows.before_start_date,
            false
        ) as is_before
    from product_days
    inner join windows
        on
            product_days.day > windows.start_date
            and product_days.posted_day <= windows.business_date
    where not product_days.is_internal
),

{{ products_compared('dated', ref('int_fx_rates_averaged')) }}

select * from compared
