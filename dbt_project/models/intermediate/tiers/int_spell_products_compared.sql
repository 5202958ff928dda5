with
product_days as (select * from {{ ref('int_product_days_touched') }}),
nights as (select * from {{ ref('int_receipts_compared') }}),
windows as (select * from {{ ref('int_windows_compared') }}),

own_windows as (
    select
        nights.customer_id,
        nights.business_date as compared_with,
        windows.business_date,
        windows.window_start_date,
        {{ months_before('policies.window_months', 'nights.business_date') }}
            as before_start_date
    from nights
    inner join {{ ref('int_policies_dated') }} as measured
        on nights.policy_id = measured.policy_id
    inner join {{ ref('int_policies_dated') }} as policies
        on measured.measured_as = policies.policy_id
    cross join windows
    where nights.is_before_spell
),

dated as (
    select
        product_days.*,
        own_windows.compared_with,
        product_days.day > own_windows.window_start_date as is_now,
        product_days.posted_day <= own_windows.compared_with
        and product_days.day > own_windows.before_start_date as is_before
    from product_days
    inner join own_windows
        on
            product_days.customer_id = own_windows.customer_id
            and product_days.day
            > least(own_windows.window_start_date, own_windows.before_start_date)
            and product_days.posted_day <= own_windows.business_date
    where not product_days.is_internal
),

{{ products_compared('dated', ref('int_rates_recalled'), own_nights=true) }}

select * from compared
