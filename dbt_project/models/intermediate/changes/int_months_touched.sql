with
changes as (select * from {{ ref('int_changes_found') }}),
services as (select * from {{ ref('int_services_compared') }}),

found as (
    select
        customer_id,
        since_date
    from changes
    where change_kind in ('sales', 'receivables', 'identity')

    union all

    select
        customer_id,
        since_date
    from services
),

touched as (
    select
        customer_id,
        {{ month_start('min(since_date)') }} as since_month
    from found
    group by customer_id
)

select * from touched
